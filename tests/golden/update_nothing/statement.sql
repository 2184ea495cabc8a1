with w as materialized (
  select t0."id" as k0
  from "labels" t0
  where t0."name" = $1::"text"
  order by t0."id" for update)
select set_config('tenantry.count_0', count(*)::text, true), set_config('tenantry.kept_0_0', coalesce(array_agg(w.k0)::text, '{}'), true)
from w
-- $1 "bug"

select (
  select row(t0."name", t0."color")
  from unnest(current_setting('tenantry.kept_0_0')::"uuid"[])
  with ordinality k(k0, n)
  join "labels" t0 on t0."id" = k.k0
  order by k.n)

with l as materialized (
  select t0."id" as k0
  from "labels" t0
  where t0."name" like $1::text
  order by t0."id" for update), w as (
  update "labels" t1 set "color" = $2::"text"
  from l
  where t1."id" = l.k0
  returning t1."id" as k0)
select set_config('tenantry.count_1', count(*)::text, true), set_config('tenantry.kept_1_0', coalesce(array_agg(w.k0
      order by w.k0)::text, '{}'), true)
from w
-- $1 "no such%"
-- $2 "#ffffff"

select current_setting('tenantry.count_1')::int8, array(
  select row(t0."name")
  from unnest(current_setting('tenantry.kept_1_0')::"uuid"[])
  with ordinality k(k0, n)
  join "labels" t0 on t0."id" = k.k0
  order by k.n)
