with w as (
  insert into "projects" ("key", "name")
  select s.x0, s.x1
  from unnest($1::"text"[], $2::"text"[])
  with ordinality s(x0, x1, n)
  order by s.n
  returning "id" as k0)
select set_config('tenantry.count_0', count(*)::text, true), set_config('tenantry.kept_0_0', coalesce(array_agg(w.k0)::text, '{}'), true), case when count(*) <> $3::"int8" then tenantry.fail('P0001', $4::text) end
from w
-- $1 "{\"NEW\"}"
-- $2 "{\"x\"}"
-- $3 "1"
-- $4 "input: not all of the rows have been added"

with w as (
  insert into "issues" ("title", "project_id")
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
-- $1 "{\"fine\",\" \"}"
-- $2 "{1,1}"
-- $3 "2"
-- $4 "input.issues.create: not all of the rows have been added"

select (
  select row(t0."id")
  from unnest(current_setting('tenantry.kept_0_0')::"uuid"[])
  with ordinality k(k0, n)
  join "projects" t0 on t0."id" = k.k0
  order by k.n)
