with w as (
  insert into "issues" ("project_id", "title")
  select s.x0, s.x1
  from unnest($1::"uuid"[], $2::"text"[])
  with ordinality s(x0, x1, n)
  order by s.n
  returning "id" as k0)
select set_config('tenantry.count_0', count(*)::text, true), set_config('tenantry.kept_0_0', coalesce(array_agg(w.k0)::text, '{}'), true), case when count(*) <> $3::"int8" then tenantry.fail('P0001', $4::text) end
from w
-- $1 "{\"b0000000-0000-0000-0000-000000000001\"}"
-- $2 "{\"x\"}"
-- $3 "1"
-- $4 "input: not all of the rows have been added"

with w as (
  select t0."id" as k0, s.n
  from unnest($1::"text"[])
  with ordinality s(x0, n)
  join "labels" t0 on t0."name" = s.x0)
select set_config('tenantry.kept_1_0', coalesce(array_agg(w.k0
      order by w.n)::text, '{}'), true), case when count(*) < cardinality($1::"text"[]) then tenantry.fail('23503', $2::text) end
from w
-- $1 "{\"bug\",\"bgu\"}"
-- $2 "input.labels.connect: there is no such Label"

with w as (
  insert into "issue_labels" ("issue_id", "label_id")
  select k0.a0[s.x0], k1.a0[s.n]
  from unnest($1::"int4"[])
  with ordinality s(x0, n)
  cross join (
    select current_setting('tenantry.kept_0_0')::"uuid"[] as a0
    offset 0) k0
  cross join (
    select current_setting('tenantry.kept_1_0')::"uuid"[] as a0
    offset 0) k1
  order by s.n on conflict ("issue_id", "label_id") do nothing
  returning "issue_id" as k0, "label_id" as k1)
select set_config('tenantry.count_2', count(*)::text, true), set_config('tenantry.kept_2_0', coalesce(array_agg(w.k0)::text, '{}'), true), set_config('tenantry.kept_2_1', coalesce(array_agg(w.k1)::text, '{}'), true)
from w
-- $1 "{1,1}"

select (
  select row(t0."id")
  from unnest(current_setting('tenantry.kept_0_0')::"uuid"[])
  with ordinality k(k0, n)
  join "issues" t0 on t0."id" = k.k0
  order by k.n)
