with w as (
  insert into "labels"
  select
  from generate_series(1, $1::"int8") s(n)
  order by s.n
  returning "id" as k0)
select set_config('tenantry.count_0', count(*)::text, true), set_config('tenantry.kept_0_0', coalesce(array_agg(w.k0)::text, '{}'), true)
from w
-- $1 "0"

select current_setting('tenantry.count_0')::int8, array(
  select row(t0."name")
  from unnest(current_setting('tenantry.kept_0_0')::"uuid"[])
  with ordinality k(k0, n)
  join "labels" t0 on t0."id" = k.k0
  order by k.n)
