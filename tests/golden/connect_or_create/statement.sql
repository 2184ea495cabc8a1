with w as (
  insert into "projects" ("key", "name")
  select s.x0, s.x1
  from unnest($1::"text"[], $2::"text"[], $3::"text"[])
  with ordinality s(x0, x1, x2, n)
  where not exists (
    select
    from "projects" t0
    where t0."key" = s.x2)
  order by s.n on conflict ("key") do nothing
  returning "id" as k0)
select set_config('tenantry.count_0', count(*)::text, true), set_config('tenantry.kept_0_0', coalesce(array_agg(w.k0)::text, '{}'), true)
from w
-- $1 "{\"CC\"}"
-- $2 "{\"Made on the way\"}"
-- $3 "{\"CC\"}"

with w as (
  select t0."id" as k0, s.n
  from unnest($1::"text"[])
  with ordinality s(x0, n)
  join "projects" t0 on t0."key" = s.x0)
select set_config('tenantry.kept_1_0', coalesce(array_agg(w.k0
      order by w.n)::text, '{}'), true), case when count(*) < cardinality($1::"text"[]) then tenantry.fail('23503', $2::text) end
from w
-- $1 "{\"CC\"}"
-- $2 "input.project.connectOrCreate: there is no such Project"

with w as (
  insert into "issues" ("project_id", "title")
  select case when s.x0 is not null then k1.a0[s.x0] end, s.x1
  from unnest($1::"int4"[], $2::"text"[])
  with ordinality s(x0, x1, n)
  cross join (
    select current_setting('tenantry.kept_1_0')::"uuid"[] as a0
    offset 0) k1
  order by s.n
  returning "id" as k0)
select set_config('tenantry.count_2', count(*)::text, true), set_config('tenantry.kept_2_0', coalesce(array_agg(w.k0)::text, '{}'), true), case when count(*) <> $3::"int8" then tenantry.fail('P0001', $4::text) end
from w
-- $1 "{1}"
-- $2 "{\"Labelled\"}"
-- $3 "1"
-- $4 "input: not all of the rows have been added"

with w as (
  insert into "labels" ("name", "color")
  select s.x0, s.x1
  from unnest($1::"text"[], $2::"text"[], $3::"text"[])
  with ordinality s(x0, x1, x2, n)
  where not exists (
    select
    from "labels" t0
    where t0."name" = s.x2)
  order by s.n on conflict ("name") do nothing
  returning "id" as k0)
select set_config('tenantry.count_3', count(*)::text, true), set_config('tenantry.kept_3_0', coalesce(array_agg(w.k0)::text, '{}'), true)
from w
-- $1 "{\"bug\",\"brand new\"}"
-- $2 "{\"#000000\",\"#abcdef\"}"
-- $3 "{\"bug\",\"brand new\"}"

with w as (
  select t0."id" as k0, s.n
  from unnest($1::"text"[])
  with ordinality s(x0, n)
  join "labels" t0 on t0."name" = s.x0)
select set_config('tenantry.kept_4_0', coalesce(array_agg(w.k0
      order by w.n)::text, '{}'), true), case when count(*) < cardinality($1::"text"[]) then tenantry.fail('23503', $2::text) end
from w
-- $1 "{\"bug\",\"brand new\"}"
-- $2 "input.labels.connectOrCreate: there is no such Label"

with w as (
  insert into "issue_labels" ("issue_id", "label_id")
  select k2.a0[s.x0], k4.a0[s.n]
  from unnest($1::"int4"[])
  with ordinality s(x0, n)
  cross join (
    select current_setting('tenantry.kept_2_0')::"uuid"[] as a0
    offset 0) k2
  cross join (
    select current_setting('tenantry.kept_4_0')::"uuid"[] as a0
    offset 0) k4
  order by s.n on conflict ("issue_id", "label_id") do nothing
  returning "issue_id" as k0, "label_id" as k1)
select set_config('tenantry.count_5', count(*)::text, true), set_config('tenantry.kept_5_0', coalesce(array_agg(w.k0)::text, '{}'), true), set_config('tenantry.kept_5_1', coalesce(array_agg(w.k1)::text, '{}'), true)
from w
-- $1 "{1,1}"

select (
  select row(t1."id" is not null, t1."name", array(
      select row(t2."name", t2."color")
      from "labels" t2
      join "issue_labels" t3 on t3."label_id" = t2."id"
      where t3."issue_id" = t0."id"
      order by t2."name"
      limit $1::"int8"))
  from unnest(current_setting('tenantry.kept_2_0')::"uuid"[])
  with ordinality k(k0, n)
  join "issues" t0 on t0."id" = k.k0
  left join "projects" t1 on t1."id" = t0."project_id"
  order by k.n)
-- $1 "50"
