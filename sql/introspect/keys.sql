-- Unique keys over plain columns: primary keys, unique constraints, unique indexes (materialized
-- views have only those); $1 = the relations' oids. Partial and expression indexes identify nothing.
select i.indrelid,
       i.indisprimary,
       i.indimmediate,
       (select array_agg(k.attnum order by k.position)
        from unnest(i.indkey::int2[]) with ordinality as k (attnum, position)
        where k.position <= i.indnkeyatts) as columns,
       x.relname::text
from pg_index i
join pg_class c on c.oid = i.indrelid
join pg_class x on x.oid = i.indexrelid
where i.indrelid = any ($1::oid[])
  and not c.relispartition
  and i.indisunique
  and i.indisvalid
  and i.indpred is null
  and i.indexprs is null
order by i.indrelid, i.indisprimary desc, x.relname
