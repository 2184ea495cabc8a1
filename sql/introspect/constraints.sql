-- What a row can violate, with the columns it is about: constraints, and unique indexes that are none (partial
-- ones, or over expressions); $1 = the relations' oids. A violation names them.
select k.conrelid as relation,
       k.conname::text as name,
       coalesce(k.conkey, '{}') as columns
from pg_constraint k
join pg_class c on c.oid = k.conrelid
where k.conrelid = any ($1::oid[])
  and k.contype in ('p', 'u', 'f', 'c', 'x')
  and not c.relispartition
union all
select i.indrelid,
       x.relname::text,
       (select coalesce(array_agg(key.attnum order by key.position), '{}')
        from unnest(i.indkey::int2[]) with ordinality as key (attnum, position)
        where key.position <= i.indnkeyatts and key.attnum > 0)
from pg_index i
join pg_class c on c.oid = i.indrelid
join pg_class x on x.oid = i.indexrelid
where i.indrelid = any ($1::oid[])
  and i.indisunique
  and not c.relispartition
  and not exists (select from pg_constraint k where k.conrelid = i.indrelid and k.conindid = i.indexrelid and k.contype in ('p', 'u', 'x'))
order by 1, 2
