with w as materialized (
  select t0."id" as k0
  from "issues" t0
  where t0."id" = $1::"uuid"
  order by t0."id" for update)
select set_config('tenantry.count_0', count(*)::text, true), set_config('tenantry.kept_0_0', coalesce(array_agg(w.k0)::text, '{}'), true), case when count(*) = 0 then tenantry.fail('23503', $2::text) end
from w
-- $1 "c0000000-0000-0000-0000-000000000001"
-- $2 "there is no such Issue that others could be linked to"

with w as (
  select t0."id" as k0, s.n
  from unnest($1::"uuid"[], $2::"int4"[])
  with ordinality s(x0, x1, n)
  cross join (
    select current_setting('tenantry.kept_0_0')::"uuid"[] as a0
    offset 0) k0
  join "comments" t0 on t0."id" = s.x0 and t0."issue_id" = k0.a0[s.x1])
select set_config('tenantry.kept_1_0', coalesce(array_agg(w.k0
      order by w.n)::text, '{}'), true), case when count(*) < cardinality($1::"uuid"[]) then tenantry.fail('23503', $3::text) end
from w
-- $1 "{\"d0000000-0000-0000-0000-000000000004\"}"
-- $2 "{1}"
-- $3 "set.comments.update: there is no such Comment"

with w as (
  update "comments" t0 set "body" = s.x0
  from unnest(current_setting('tenantry.kept_1_0')::"uuid"[])
  with ordinality k(k0, n)
  join unnest($1::"text"[])
  with ordinality s(x0, n) on s.n = k.n
  where t0."id" = k.k0
  returning t0."id" as k0)
select set_config('tenantry.count_2', count(*)::text, true), set_config('tenantry.kept_2_0', coalesce(array_agg(w.k0
      order by w.k0)::text, '{}'), true)
from w
-- $1 "{\"not of this issue\"}"

select (
  select row(t0."title")
  from unnest(current_setting('tenantry.kept_0_0')::"uuid"[])
  with ordinality k(k0, n)
  join "issues" t0 on t0."id" = k.k0
  order by k.n)
