-- What there is in a schema, and which of it this transaction has locked, as one JSON object: read before and after a
-- statement, it tells what the statement did. A name comes as it is, and as SQL has to have it.
--
-- Relations are found by what depends on the schema, which has an index: pg_class has none by schema, and where a fleet is, it
-- holds the tables of every tenant.
with schema as materialized (
  select n.oid from pg_namespace n where n.nspname = $1
), relations as materialized (
  select c.*
  from schema s
  join pg_depend d on d.refclassid = 'pg_namespace'::regclass and d.refobjid = s.oid and d.classid = 'pg_class'::regclass
  join pg_class c on c.oid = d.objid
  where c.relkind in ('r', 'p', 'm', 'v', 'f')
), indexes as materialized (
  select i.indexrelid, i.indrelid, i.indpred is null and i.indexprs is null as plain
  from relations r join pg_index i on i.indrelid = r.oid
)
select
  jsonb_build_object(
    'relations', (
      select coalesce(jsonb_object_agg(c.oid, jsonb_build_object(
        'name', c.relname,
        'sql', quote_ident(c.relname),
        'kind', c.relkind,
        'file', c.relfilenode::bigint,
        'partition', c.relispartition,
        'comment', obj_description(c.oid, 'pg_class'),
        'columns', (
          select coalesce(jsonb_object_agg(a.attnum, jsonb_build_object(
            'sql', quote_ident(a.attname),
            'type', format_type(a.atttypid, a.atttypmod),
            'required', a.attnotnull,
            'default', case when a.attgenerated = '' then pg_get_expr(d.adbin, d.adrelid) end,
            'computed', a.attidentity <> '' or a.attgenerated <> '',
            'inherited', a.attinhcount > 0,
            'comment', col_description(c.oid, a.attnum))), '{}')
          from pg_attribute a
          left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
          where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped))), '{}')
      from relations c),
    'indexes', (
      select coalesce(jsonb_object_agg(c.oid, jsonb_build_object(
        'sql', quote_ident(c.relname),
        'table', i.indrelid::bigint,
        'file', c.relfilenode::bigint,
        'plain', i.plain,
        'definition', pg_get_indexdef(c.oid, 0, true))), '{}')
      from indexes i
      join pg_class c on c.oid = i.indexrelid),
    'constraints', (
      select coalesce(jsonb_object_agg(k.oid, jsonb_build_object(
        'name', k.conname,
        'sql', quote_ident(k.conname),
        'kind', k.contype,
        'table', k.conrelid::bigint,
        'other', k.confrelid::bigint,
        'index', k.conindid::bigint,
        'definition', pg_get_constraintdef(k.oid, true))), '{}')
      from relations r
      join pg_constraint k on k.conrelid = r.oid),
    'locks', (
      select coalesce(jsonb_agg(jsonb_build_array(l.relation::bigint, l.mode)), '[]')
      from pg_locks l
      where l.pid = pg_backend_pid() and l.locktype = 'relation' and l.granted
        and l.mode in ('RowExclusiveLock', 'ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
        and l.database = (select d.oid from pg_database d where d.datname = current_database()))) as snapshot,
  -- Scripts may have turned it down; at this level Postgres tells when it reads or writes whole tables.
  set_config('client_min_messages', 'debug1', true)
from schema
