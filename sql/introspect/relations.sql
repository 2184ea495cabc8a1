-- Tables, views, materialized views and foreign tables of one schema, and composite types that a
-- function returns; $1 = the schema's oid. Partitions are left out: they are read through their
-- parent. So is what an extension owns.
select c.oid,
       c.relname::text,
       c.relkind::text,
       coalesce(obj_description(c.oid, 'pg_class'), obj_description(c.reltype, 'pg_type')) as comment
from pg_class c
where c.relnamespace = $1
  and (c.relkind in ('r', 'p', 'v', 'm', 'f')
       or c.relkind = 'c' and exists (select from pg_proc p where p.pronamespace = $1 and p.prorettype = c.reltype))
  and not c.relispartition
  and not exists (select from pg_depend d
                  where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
order by c.relname
