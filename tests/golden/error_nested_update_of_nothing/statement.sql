with w as materialized (
  select t0."id" as k0
  from "issues" t0
  where t0."id" = $1::"uuid"
  order by t0."id" for update)
select set_config('tenantry.count_0', count(*)::text, true), set_config('tenantry.kept_0_0', coalesce(array_agg(w.k0)::text, '{}'), true), case when count(*) = 0 then tenantry.fail('23503', $2::text) end
from w
-- $1 "c0000000-0000-0000-0000-0000000000ff"
-- $2 "there is no such Issue that others could be linked to"

with w as (
  insert into "comments" ("body", "issue_id")
  select s.x0, k0.a0[s.x1]
  from unnest($1::"text"[], $2::"int4"[])
  with ordinality s(x0, x1, n)
  cross join (
    select current_setting('tenantry.kept_0_0')::"uuid"[] as a0
    offset 0) k0
  order by s.n
  returning "id" as k0)
select set_config('tenantry.count_1', count(*)::text, true), set_config('tenantry.kept_1_0', coalesce(array_agg(w.k0)::text, '{}'), true), case when count(*) <> $3::"int8" then tenantry.fail('P0001', $4::text) end
from w
-- $1 "{\"of what?\"}"
-- $2 "{1}"
-- $3 "1"
-- $4 "set.comments.create: not all of the rows have been added"

select (
  select row(t0."title")
  from unnest(current_setting('tenantry.kept_0_0')::"uuid"[])
  with ordinality k(k0, n)
  join "issues" t0 on t0."id" = k.k0
  order by k.n)
