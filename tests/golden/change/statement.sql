with w as (
  update "issues" t0 set "title" = $1::"text", "estimate_hours" = coalesce(t0."estimate_hours", 0) + $2::"numeric", "custom_fields" = coalesce(t0."custom_fields" || $3::"jsonb", $3::"jsonb")
  where t0."id" = $4::"uuid"
  returning t0."id" as k0)
select set_config('tenantry.count_0', count(*)::text, true), set_config('tenantry.kept_0_0', coalesce(array_agg(w.k0)::text, '{}'), true)
from w
-- $1 "Log in works"
-- $2 "-0.5"
-- $3 "{\"tags\":[\"a\"],\"build\":18}"
-- $4 "c0000000-0000-0000-0000-000000000001"

select (
  select row(t0."title", t0."estimate_hours", t0."custom_fields")
  from unnest(current_setting('tenantry.kept_0_0')::"uuid"[])
  with ordinality k(k0, n)
  join "issues" t0 on t0."id" = k.k0
  order by k.n)

with w as (
  update "issues" t0 set "estimate_hours" = coalesce(t0."estimate_hours", 0) + $1::"numeric"
  where t0."id" = $2::"uuid"
  returning t0."id" as k0)
select set_config('tenantry.count_1', count(*)::text, true), set_config('tenantry.kept_1_0', coalesce(array_agg(w.k0)::text, '{}'), true)
from w
-- $1 "3"
-- $2 "c0000000-0000-0000-0000-000000000003"

select (
  select row(t0."estimate_hours")
  from unnest(current_setting('tenantry.kept_1_0')::"uuid"[])
  with ordinality k(k0, n)
  join "issues" t0 on t0."id" = k.k0
  order by k.n)

with l as materialized (
  select t0."id" as k0
  from "projects" t0
  where t0."key" = any($1::"text"[])
  order by t0."id" for update), w as (
  update "projects" t1 set "topics" = t1."topics" || $2::"_text"
  from l
  where t1."id" = l.k0
  returning t1."id" as k0)
select set_config('tenantry.count_2', count(*)::text, true), set_config('tenantry.kept_2_0', coalesce(array_agg(w.k0
      order by w.k0)::text, '{}'), true)
from w
-- $1 "{\"APP\",\"OLD\"}"
-- $2 "{\"last\",NULL}"

select array(
  select row(t0."key", t0."topics")
  from unnest(current_setting('tenantry.kept_2_0')::"uuid"[])
  with ordinality k(k0, n)
  join "projects" t0 on t0."id" = k.k0
  order by k.n)

with w as (
  update "projects" t0 set "topics" = $1::"_text" || t0."topics"
  where t0."key" = $2::"text"
  returning t0."id" as k0)
select set_config('tenantry.count_3', count(*)::text, true), set_config('tenantry.kept_3_0', coalesce(array_agg(w.k0)::text, '{}'), true)
from w
-- $1 "{\"first\"}"
-- $2 "OLD"

select (
  select row(t0."topics")
  from unnest(current_setting('tenantry.kept_3_0')::"uuid"[])
  with ordinality k(k0, n)
  join "projects" t0 on t0."id" = k.k0
  order by k.n)

with w as (
  update "projects" t0 set "topics" = case when t0."topics" is not null then array(
    select e.item
    from unnest(t0."topics")
    with ordinality e(item, n)
    where (e.item = any($1::"_text")) is not true
    order by e.n) end
  where t0."key" = $2::"text"
  returning t0."id" as k0)
select set_config('tenantry.count_4', count(*)::text, true), set_config('tenantry.kept_4_0', coalesce(array_agg(w.k0)::text, '{}'), true)
from w
-- $1 "{\"last\",\"first\",\"a, b\"}"
-- $2 "OLD"

select (
  select row(t0."topics")
  from unnest(current_setting('tenantry.kept_4_0')::"uuid"[])
  with ordinality k(k0, n)
  join "projects" t0 on t0."id" = k.k0
  order by k.n)

with w as (
  update "issues" t0 set "custom_fields" = t0."custom_fields" - $1::"_text"
  where t0."id" = $2::"uuid"
  returning t0."id" as k0)
select set_config('tenantry.count_5', count(*)::text, true), set_config('tenantry.kept_5_0', coalesce(array_agg(w.k0)::text, '{}'), true)
from w
-- $1 "{\"os\",\"build\"}"
-- $2 "c0000000-0000-0000-0000-000000000001"

select (
  select row(t0."custom_fields")
  from unnest(current_setting('tenantry.kept_5_0')::"uuid"[])
  with ordinality k(k0, n)
  join "issues" t0 on t0."id" = k.k0
  order by k.n)
