-- Tables, views, materialized views and foreign tables of some schemas, and composite types that a
-- function returns; and what a role may do with them. $1 = the schemas' oids, the tenant's own first, $2 = the role's name, or
-- null for this one, $3 = the oids of their relations. Partitions are left out: they are read through their parent. So is what an
-- extension owns.
select c.oid,
       case when c.relnamespace <> ($1::oid[])[1] then n.nspname::text end as elsewhere,
       c.relname::text,
       c.relkind::text,
       c.relrowsecurity as row_security,
       -- The bits are those of Postgres' CmdType: 2 is UPDATE, 3 is INSERT, 4 is DELETE.
       has_any_column_privilege(r.name, c.oid, 'insert') and w."any" & 8 <> 0 as may_insert,
       has_any_column_privilege(r.name, c.oid, 'update') and w."any" & 4 <> 0 as may_update,
       has_any_column_privilege(r.name, c.oid, 'update') and w.plain & 4 <> 0 as may_lock,
       has_table_privilege(r.name, c.oid, 'delete') and w."any" & 16 <> 0 as may_delete,
       coalesce(obj_description(c.oid, 'pg_class'), obj_description(c.reltype, 'pg_type')) as comment
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
cross join (select coalesce($2::text, current_user)::name) as r (name)
-- Asked about a table, Postgres would open it, and wait for whoever has locked it.
cross join lateral (
    select case when c.relkind in ('r', 'p') then 28 else pg_relation_is_updatable(c.oid, true) end,
           case when c.relkind in ('r', 'p') then 28 else pg_relation_is_updatable(c.oid, false) end
) as w ("any", plain)
where c.oid = any ($3::oid[])
  and (c.relkind in ('r', 'p', 'v', 'm', 'f')
       or c.relkind = 'c' and exists (select from pg_proc p where p.pronamespace = ($1::oid[])[1] and p.prorettype = c.reltype))
  and not c.relispartition
  and not exists (select from pg_depend d
                  where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
order by array_position($1::oid[], c.relnamespace), c.relname
