with w as materialized (
  select t0."id" as k0
  from "projects" t0
  where t0."key" = $1::"text"
  order by t0."id" for update)
select set_config('tenantry.count_0', count(*)::text, true), set_config('tenantry.kept_0_0', coalesce(array_agg(w.k0
      order by w.k0)::text, '{}'), true)
from w
-- $1 "APP"

with d as (
  delete
  from "projects" t0 using unnest(current_setting('tenantry.kept_0_0')::"uuid"[])
  with ordinality k(k0, n)
  where t0."id" = k.k0
  returning t0."id" as k0)
select (
  select count(*)
  from d), (
  select num_nulls(set_config('tenantry.kept_0_0', coalesce(array_agg(w.k0)::text, '{}'), true))
  from d w)
