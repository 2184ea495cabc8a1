with w as (
  update "labels" t0 set "color" = $1::"text"
  where t0."name" = $2::"text"
  returning t0."id" as k0)
select set_config('tenantry.count_0', count(*)::text, true), set_config('tenantry.kept_0_0', coalesce(array_agg(w.k0)::text, '{}'), true)
from w
-- $1 "red"
-- $2 "bug"

select (
  select row(t0."color")
  from unnest(current_setting('tenantry.kept_0_0')::"uuid"[])
  with ordinality k(k0, n)
  join "labels" t0 on t0."id" = k.k0
  order by k.n)
