-- What values of types can be compared by; $1 = the oids of the types.
with types as (
    select t.oid,
           t.typtype,
           -- The types whose operators serve it: its own, those that its values are taken for as they are
           -- (varchar is text, cidr is inet), the polymorphic ones, and for json jsonb.
           array(select t.oid
                 union
                 select c.casttarget
                 from pg_cast c
                 join pg_type s on s.oid = c.casttarget and s.typcategory = t.typcategory
                 where c.castsource = t.oid and c.castmethod = 'b' and c.castcontext = 'i'
                 union
                 select a.oid
                 from pg_type a
                 where a.typnamespace = 'pg_catalog'::regnamespace
                   and a.typname = case when t.typtype = 'r' then 'anyrange'
                                        when t.typtype = 'm' then 'anymultirange'
                                        when t.typcategory = 'A' then 'anyarray'
                                        when t.oid = 'json'::regtype then 'jsonb' end) as served_by
    from pg_type t
    where t.oid = any($1)
)
select t.oid,
       -- Whether `=` finds values that are the same, and not boxes of one size or paths of one length.
       t.typtype in ('e', 'r', 'm')
       or exists (select from pg_opclass o
                  join pg_am m on m.oid = o.opcmethod and m.amname in ('btree', 'hash')
                  join pg_amop l on l.amopfamily = o.opcfamily
                                and l.amopstrategy = case m.amname when 'btree' then 3 else 1 end
                                and l.amoplefttype = o.opcintype and l.amoprighttype = o.opcintype
                  join pg_operator p on p.oid = l.amopopr and p.oprname = '='
                  where o.opcdefault and o.opcintype = any(t.served_by)) as equality,
       -- Conditions, as `jsonb @> jsonb`.
       array(select distinct concat_ws(' ', l.typname, o.oprname, r.typname)
             from pg_operator o
             join pg_type l on l.oid = o.oprleft
             join pg_type r on r.oid = o.oprright
             join pg_namespace n on n.oid = o.oprnamespace
             where o.oprresult = 'bool'::regtype
               and n.nspname in ('pg_catalog', 'extensions')
               and l.oid = any(t.served_by)) as operators
from types t
