-- Which relations ($1: their schema's name) views and functions of the schema read, or return rows of.
with home as (select oid from pg_namespace where nspname = $1),
-- What depends on a schema is found by an index; there is none of what is in it.
relations as materialized (
  select distinct c.oid, c.relname, c.reltype
  from home
  join pg_depend d on d.refclassid = 'pg_namespace'::regclass and d.refobjid = home.oid and d.classid = 'pg_class'::regclass
  join pg_class c on c.oid = d.objid and c.relnamespace = home.oid and c.relkind in ('r', 'p', 'f', 'v', 'm')
)
select distinct quote_ident(c.relname), case v.relkind when 'm' then 'materialized view' else 'view' end, quote_ident(v.relname)
from home
cross join relations c
join pg_depend d on d.refclassid = 'pg_class'::regclass and d.refobjid = c.oid and d.classid = 'pg_rewrite'::regclass
join pg_rewrite r on r.oid = d.objid and r.ev_class <> c.oid
join pg_class v on v.oid = r.ev_class and v.relnamespace = home.oid and v.relkind in ('v', 'm')
union
select quote_ident(c.relname), case p.prokind when 'p' then 'procedure' else 'function' end,
       replace(quote_ident(p.proname) || '(' || pg_get_function_identity_arguments(p.oid) || ')', quote_ident($1) || '.', '')
from home
cross join relations c
join pg_depend d on d.classid = 'pg_proc'::regclass
                and (d.refclassid = 'pg_class'::regclass and d.refobjid = c.oid
                  or d.refclassid = 'pg_type'::regclass and d.refobjid in (c.reltype, (select typarray from pg_type where oid = c.reltype)))
join pg_proc p on p.oid = d.objid and p.pronamespace = home.oid and p.prokind <> 'a'
