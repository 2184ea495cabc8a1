-- Columns of every relation of some schemas, in their declared order, and what a role may do with them; $1 = their oids,
-- the tenant's own first, $2 = the role's name, or null for this one, $3 = the oids of their relations.
-- Default expressions refer to no column, so that their table, which may be locked, need not be opened to print them.
-- They name things as a session sees them that has this schema on its path: the same in every schema.
with path as materialized (
    select set_config('search_path', quote_ident(n.nspname) || ', extensions, pg_temp', true)
    from pg_namespace n
    where n.oid = ($1::oid[])[1]
)
select a.attrelid,
       a.attnum,
       a.attname::text,
       a.atttypid,
       a.attndims::int4,
       exists (select from pg_collation o where o.oid = a.attcollation and not o.collisdeterministic) as folds,
       a.attnotnull,
       (a.attgenerated <> '' or a.attidentity = 'a') as generated,
       (a.atthasdef or a.attidentity <> '' or t.typdefault is not null) as has_default,
       case when a.attgenerated <> '' then null
            when a.attidentity <> '' then format('nextval(pg_get_serial_sequence(%L, %L))',
              case when c.relnamespace <> ($1::oid[])[1] then c.relnamespace::regnamespace || '.' else '' end || quote_ident(c.relname), a.attname)
            when d.adbin is not null then pg_get_expr(d.adbin, 0)
            else pg_get_expr(t.typdefaultbin, 0) end as default_expression,
       c.relkind = 'c' or has_column_privilege(r.name, c.oid, a.attnum, 'select') as may_select,
       has_column_privilege(r.name, c.oid, a.attnum, 'insert')
         and (c.relkind in ('r', 'p') or pg_column_is_updatable(c.oid, a.attnum, true)) as may_insert,
       has_column_privilege(r.name, c.oid, a.attnum, 'update')
         and (c.relkind in ('r', 'p') or pg_column_is_updatable(c.oid, a.attnum, true)) as may_update,
       col_description(a.attrelid, a.attnum) as comment
from path
cross join pg_attribute a
join pg_class c on c.oid = a.attrelid
join pg_type t on t.oid = a.atttypid
left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
cross join (select coalesce($2::text, current_user)::name) as r (name)
where a.attrelid = any ($3::oid[])
  and c.relkind in ('r', 'p', 'v', 'm', 'f', 'c')
  and not c.relispartition
  and a.attnum > 0
  and not a.attisdropped
order by a.attrelid, a.attnum
