-- Foreign keys between some relations; $1 = their oids.
-- Those that Postgres itself adds for partitions have a parent, and are left out.
select f.conname::text,
       f.conrelid,
       f.conkey,
       f.confrelid,
       f.confkey,
       f.convalidated,
       -- An index that begins with the key's columns finds the rows that refer to one.
       exists (select from pg_index i
               where i.indrelid = f.conrelid and i.indisvalid and i.indpred is null
                 and (i.indkey::int2[])[0:cardinality(f.conkey) - 1] @> f.conkey) as indexed,
       obj_description(f.oid, 'pg_constraint') as comment
from pg_constraint f
join pg_class c on c.oid = f.conrelid
join pg_class r on r.oid = f.confrelid
where f.conrelid = any ($1::oid[])
  and f.confrelid = any ($1::oid[])
  and f.contype = 'f'
  and f.conparentid = 0
  and not c.relispartition
  and not r.relispartition
order by f.conrelid, f.conname
