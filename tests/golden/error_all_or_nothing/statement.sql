with w as (
  insert into "labels" ("name")
  select s.x0
  from unnest($1::"text"[])
  with ordinality s(x0, n)
  order by s.n
  returning "id" as k0)
select set_config('tenantry.count_0', count(*)::text, true), set_config('tenantry.kept_0_0', coalesce(array_agg(w.k0)::text, '{}'), true)
from w
-- $1 "{\"one\"}"

select (
  select row(t0."id")
  from unnest(current_setting('tenantry.kept_0_0')::"uuid"[])
  with ordinality k(k0, n)
  join "labels" t0 on t0."id" = k.k0
  order by k.n)

with w as (
  insert into "labels" ("name")
  select s.x0
  from unnest($1::"text"[])
  with ordinality s(x0, n)
  order by s.n
  returning "id" as k0)
select set_config('tenantry.count_1', count(*)::text, true), set_config('tenantry.kept_1_0', coalesce(array_agg(w.k0)::text, '{}'), true)
from w
-- $1 "{\"bug\"}"

select (
  select row(t0."id")
  from unnest(current_setting('tenantry.kept_1_0')::"uuid"[])
  with ordinality k(k0, n)
  join "labels" t0 on t0."id" = k.k0
  order by k.n)

with w as (
  insert into "labels" ("name")
  select s.x0
  from unnest($1::"text"[])
  with ordinality s(x0, n)
  order by s.n
  returning "id" as k0)
select set_config('tenantry.count_2', count(*)::text, true), set_config('tenantry.kept_2_0', coalesce(array_agg(w.k0)::text, '{}'), true)
from w
-- $1 "{\"three\"}"

select (
  select row(t0."id")
  from unnest(current_setting('tenantry.kept_2_0')::"uuid"[])
  with ordinality k(k0, n)
  join "labels" t0 on t0."id" = k.k0
  order by k.n)
