-- Columns of every relation of one schema, in their declared order; $1 = the schema's oid.
select a.attrelid,
       a.attnum,
       a.attname::text,
       a.atttypid,
       a.attndims::int4,
       a.attnotnull,
       (a.attgenerated <> '' or a.attidentity = 'a') as generated,
       (a.atthasdef or a.attidentity <> '') as has_default,
       col_description(a.attrelid, a.attnum) as comment
from pg_attribute a
join pg_class c on c.oid = a.attrelid
where c.relnamespace = $1
  and c.relkind in ('r', 'p', 'v', 'm', 'f', 'c')
  and not c.relispartition
  and a.attnum > 0
  and not a.attisdropped
order by a.attrelid, a.attnum
