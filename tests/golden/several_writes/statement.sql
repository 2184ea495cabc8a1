with w as (
  insert into "labels" ("id", "name")
  select s.x0, s.x1
  from unnest($1::"uuid"[], $2::"text"[])
  with ordinality s(x0, x1, n)
  order by s.n
  returning "id" as k0)
select set_config('tenantry.count_0', count(*)::text, true), set_config('tenantry.kept_0_0', coalesce(array_agg(w.k0)::text, '{}'), true)
from w
-- $1 "{\"e0000000-0000-0000-0000-0000000000c1\"}"
-- $2 "{\"new\"}"

select (
  select row(t0."name")
  from unnest(current_setting('tenantry.kept_0_0')::"uuid"[])
  with ordinality k(k0, n)
  join "labels" t0 on t0."id" = k.k0
  order by k.n)

with l as materialized (
  select t0."id" as k0
  from "labels" t0
  where t0."name" = $1::"text"
  order by t0."id" for update), w as (
  update "labels" t1 set "description" = $2::"text"
  from l
  where t1."id" = l.k0
  returning t1."id" as k0)
select set_config('tenantry.count_1', count(*)::text, true), set_config('tenantry.kept_1_0', coalesce(array_agg(w.k0
      order by w.k0)::text, '{}'), true)
from w
-- $1 "new"
-- $2 "Seen by the next field."

select current_setting('tenantry.count_1')::int8

with d as (
  delete
  from "labels" t0
  where t0."name" = $1::"text"
  returning t0."id" as k0)
select (
  select row(t1."description")
  from d k
  join "labels" t1 on t1."id" = k.k0
  order by k.k0), (
  select num_nulls(set_config('tenantry.kept_2_0', coalesce(array_agg(w.k0)::text, '{}'), true))
  from d w)
-- $1 "new"
