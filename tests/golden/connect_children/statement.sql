with w as (
  insert into "labels" ("name")
  select s.x0
  from unnest($1::"text"[])
  with ordinality s(x0, n)
  order by s.n
  returning "id" as k0)
select set_config('tenantry.count_0', count(*)::text, true), set_config('tenantry.kept_0_0', coalesce(array_agg(w.k0)::text, '{}'), true), case when count(*) <> $2::"int8" then tenantry.fail('P0001', $3::text) end
from w
-- $1 "{\"adopted\"}"
-- $2 "1"
-- $3 "input: not all of the rows have been added"

with w as (
  select t0."id" as k0, s.n
  from unnest($1::"uuid"[])
  with ordinality s(x0, n)
  join "issues" t0 on t0."id" = s.x0)
select set_config('tenantry.kept_1_0', coalesce(array_agg(w.k0
      order by w.n)::text, '{}'), true), case when count(*) < cardinality($1::"uuid"[]) then tenantry.fail('23503', $2::text) end
from w
-- $1 "{\"c0000000-0000-0000-0000-000000000001\",\"c0000000-0000-0000-0000-000000000002\"}"
-- $2 "input.issues.connect: there is no such Issue"

with w as (
  insert into "issue_labels" ("label_id", "issue_id")
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
  select row(array(
      select row(t1."title")
      from "issues" t1
      join "issue_labels" t2 on t2."issue_id" = t1."id"
      where t2."label_id" = t0."id"
      order by t1."id"
      limit $1::"int8"))
  from unnest(current_setting('tenantry.kept_0_0')::"uuid"[])
  with ordinality k(k0, n)
  join "labels" t0 on t0."id" = k.k0
  order by k.n)
-- $1 "50"

with w as (
  insert into "issues" ("project_id", "title")
  select s.x0, s.x1
  from unnest($1::"uuid"[], $2::"text"[])
  with ordinality s(x0, x1, n)
  order by s.n
  returning "id" as k0)
select set_config('tenantry.count_3', count(*)::text, true), set_config('tenantry.kept_3_0', coalesce(array_agg(w.k0)::text, '{}'), true), case when count(*) <> $3::"int8" then tenantry.fail('P0001', $4::text) end
from w
-- $1 "{\"b0000000-0000-0000-0000-000000000003\"}"
-- $2 "{\"Collects\"}"
-- $3 "1"
-- $4 "input: not all of the rows have been added"

with w as (
  insert into "comments" ("body", "issue_id")
  select s.x0, k3.a0[s.x1]
  from unnest($1::"text"[], $2::"int4"[])
  with ordinality s(x0, x1, n)
  cross join (
    select current_setting('tenantry.kept_3_0')::"uuid"[] as a0
    offset 0) k3
  order by s.n
  returning "id" as k0)
select set_config('tenantry.count_4', count(*)::text, true), set_config('tenantry.kept_4_0', coalesce(array_agg(w.k0)::text, '{}'), true), case when count(*) <> $3::"int8" then tenantry.fail('P0001', $4::text) end
from w
-- $1 "{\"new\"}"
-- $2 "{1}"
-- $3 "1"
-- $4 "input.comments.create: not all of the rows have been added"

with w as (
  select t0."id" as k0, s.n
  from unnest($1::"uuid"[])
  with ordinality s(x0, n)
  join "comments" t0 on t0."id" = s.x0)
select set_config('tenantry.kept_5_0', coalesce(array_agg(w.k0
      order by w.n)::text, '{}'), true), case when count(*) < cardinality($1::"uuid"[]) then tenantry.fail('23503', $2::text) end
from w
-- $1 "{\"d0000000-0000-0000-0000-000000000001\",\"d0000000-0000-0000-0000-000000000004\"}"
-- $2 "input.comments.connect: there is no such Comment"

with w as (
  update "comments" t0 set "issue_id" = k3.a0[s.x0]
  from unnest(current_setting('tenantry.kept_5_0')::"uuid"[])
  with ordinality k(k0, n)
  join unnest($1::"int4"[])
  with ordinality s(x0, n) on s.n = k.n
  cross join (
    select current_setting('tenantry.kept_3_0')::"uuid"[] as a0
    offset 0) k3
  where t0."id" = k.k0
  returning t0."id" as k0)
select set_config('tenantry.count_6', count(*)::text, true), set_config('tenantry.kept_6_0', coalesce(array_agg(w.k0
      order by w.k0)::text, '{}'), true)
from w
-- $1 "{1,1}"

select (
  select row(array(
      select row(t1."body")
      from "comments" t1
      where t1."issue_id" = t0."id"
      order by t1."body", t1."id"
      limit $1::"int8"))
  from unnest(current_setting('tenantry.kept_3_0')::"uuid"[])
  with ordinality k(k0, n)
  join "issues" t0 on t0."id" = k.k0
  order by k.n)
-- $1 "50"
