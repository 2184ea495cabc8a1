with w as (
  update "projects" t0 set "budget" = $1::"numeric"
  where t0."id" = $2::"uuid"
  returning t0."id" as k0)
select set_config('tenantry.count_0', count(*)::text, true), set_config('tenantry.kept_0_0', coalesce(array_agg(w.k0)::text, '{}'), true)
from w
-- $1 "1200.50"
-- $2 "b0000000-0000-0000-0000-000000000001"

select (
  select row(t0."name", t0."budget")
  from unnest(current_setting('tenantry.kept_0_0')::"uuid"[])
  with ordinality k(k0, n)
  join "projects" t0 on t0."id" = k.k0
  order by k.n)
