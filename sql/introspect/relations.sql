-- Tables, views, materialized views and foreign tables of one schema; $1 = the schema's oid.
-- Partitions are left out: they are read through their parent. So is what an extension owns.
select c.oid,
       c.relname::text,
       c.relkind::text,
       obj_description(c.oid, 'pg_class') as comment
from pg_class c
where c.relnamespace = $1
  and c.relkind in ('r', 'p', 'v', 'm', 'f')
  and not c.relispartition
  and not exists (select from pg_depend d
                  where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
order by c.relname
