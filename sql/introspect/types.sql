-- Every type that a column or a function of the schemas uses, with the types below it (the base of a
-- domain, the element of an array or a range), and text; $1 = their oids, the tenant's own first,
-- $2 = the oids of their relations. `offset 0` and the scalar subquery have each type looked up by its oid: pg_type holds
-- those of every tenant's tables.
with recursive used (oid) as (
    select distinct a.atttypid
    from pg_attribute a
    join pg_class c on c.oid = a.attrelid
    where a.attrelid = any ($2::oid[]) and c.relkind in ('r', 'p', 'v', 'm', 'f', 'c') and a.attnum > 0 and not a.attisdropped
    union
    select unnest(p.prorettype || coalesce(p.proallargtypes, p.proargtypes::oid[]))
    from pg_proc p
    where p.oid = any (array(select d.objid from pg_depend d
                             where d.refclassid = 'pg_namespace'::regclass and d.refobjid = ($1::oid[])[1] and d.classid = 'pg_proc'::regclass))
    union
    select 'text'::regtype
    union
    select below.oid
    from used
    cross join lateral (select * from pg_type where pg_type.oid = used.oid offset 0) t
    left join pg_range r on t.oid in (r.rngtypid, r.rngmultitypid)
    cross join lateral (values (t.typbasetype), (t.typelem), (r.rngsubtype)) as below (oid)
    where below.oid <> 0
)
select t.oid,
       t.typname::text,
       t.typtype::text,
       t.typbasetype,
       t.typrelid,
       case when (select true from pg_type e where e.oid = t.typelem and e.typarray = t.oid)
            then t.typelem
            else coalesce((select r.rngsubtype from pg_range r where t.oid in (r.rngtypid, r.rngmultitypid)), 0) end as element,
       t.typnotnull,
       case when n.nspname = 'pg_catalog' then 'catalog'
            when n.oid = ($1::oid[])[1] then 'tenant'
            when n.nspname = 'extensions' then 'extensions'
            else 'elsewhere' end as home,
       -- An unqualified name finds pg_catalog's type first.
       exists (select from pg_type s join pg_namespace p on p.oid = s.typnamespace
               where p.nspname = 'pg_catalog' and s.typname = t.typname and s.oid <> t.oid) as shadowed,
       (t.typcategory = 'S'
        or t.typtype in ('e', 'r', 'm')
        -- Some have an order but no `<` (hstore), which a cursor needs.
       or exists (select from pg_opclass o
                   join pg_amop l on l.amopfamily = o.opcfamily and l.amopstrategy = 1
                                 and l.amoplefttype = o.opcintype and l.amoprighttype = o.opcintype
                   join pg_operator p on p.oid = l.amopopr and p.oprname = '<'
                   where o.opcmethod = (select oid from pg_am where amname = 'btree')
                     and o.opcdefault
                     -- Its own, or that of a type that its values are taken for (cidr is inet).
                     and (o.opcintype = t.oid
                          or exists (select from pg_cast c
                                     join pg_type s on s.oid = c.casttarget and s.typcategory = t.typcategory
                                     where c.castsource = t.oid and c.casttarget = o.opcintype
                                       and c.castmethod = 'b' and c.castcontext = 'i')))) as sortable,
       exists (select from pg_proc p join pg_aggregate a on a.aggfnoid = p.oid
               where p.proname = 'min' and p.proargtypes = array[t.oid]::oidvector
                 and p.pronamespace::regnamespace::text in ('pg_catalog', 'extensions')) as has_extremes,
       exists (select from pg_proc p join pg_aggregate a on a.aggfnoid = p.oid
               where p.proname = 'sum' and p.proargtypes = array[t.oid]::oidvector
                 and p.pronamespace::regnamespace::text in ('pg_catalog', 'extensions')) as has_sum,
       t.typcategory::text,
       (select array_agg(e.enumlabel::text order by e.enumsortorder)
        from pg_enum e where e.enumtypid = t.oid) as labels,
       obj_description(t.oid, 'pg_type') as comment
from used
cross join lateral (select * from pg_type where pg_type.oid = used.oid offset 0) t
join pg_namespace n on n.oid = t.typnamespace
