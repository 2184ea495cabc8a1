with w as materialized (
  select t0."id" as k0, t0."assignee_id" as k1, t0."project_id" as k2
  from "issues" t0
  where t0."id" = $1::"uuid"
  order by t0."id", t0."assignee_id", t0."project_id" for update)
select set_config('tenantry.count_0', count(*)::text, true), set_config('tenantry.kept_0_0', coalesce(array_agg(w.k0)::text, '{}'), true), set_config('tenantry.kept_0_1', coalesce(array_agg(w.k1)::text, '{}'), true), set_config('tenantry.kept_0_2', coalesce(array_agg(w.k2)::text, '{}'), true), case when count(*) = 0 then tenantry.fail('23503', $2::text) end
from w
-- $1 "c0000000-0000-0000-0000-000000000001"
-- $2 "there is no such Issue that others could be linked to"

with w as (
  insert into "projects" ("key", "name")
  select s.x0, s.x1
  from unnest($1::"text"[], $2::"text"[])
  with ordinality s(x0, x1, n)
  order by s.n
  returning "id" as k0)
select set_config('tenantry.count_1', count(*)::text, true), set_config('tenantry.kept_1_0', coalesce(array_agg(w.k0)::text, '{}'), true), case when count(*) <> $3::"int8" then tenantry.fail('P0001', $4::text) end
from w
-- $1 "{\"MOVE\"}"
-- $2 "{\"Moved\"}"
-- $3 "1"
-- $4 "set.project.create: not all of the rows have been added"

with w as (
  select t0."id" as k0
  from "users" t0
  cross join (
    select current_setting('tenantry.kept_0_1')::"uuid"[] as a1
    offset 0) k0
  where t0."id" = k0.a1[1])
select set_config('tenantry.kept_2_0', coalesce(array_agg(w.k0)::text, '{}'), true), case when count(*) = 0 then tenantry.fail('23503', $1::text) end
from w
-- $1 "set.assignee: there is no row that is linked"

with w as (
  update "users" t0 set "name" = s.x0
  from unnest(current_setting('tenantry.kept_2_0')::"uuid"[])
  with ordinality k(k0, n)
  join unnest($1::"text"[])
  with ordinality s(x0, n) on s.n = k.n
  where t0."id" = k.k0
  returning t0."id" as k0)
select set_config('tenantry.count_3', count(*)::text, true), set_config('tenantry.kept_3_0', coalesce(array_agg(w.k0
      order by w.k0)::text, '{}'), true)
from w
-- $1 "{\"Robert\"}"

with w as (
  update "issues" t0 set "project_id" = case when s.x0 is null then t0."project_id" else k1.a0[s.x0] end
  from unnest(current_setting('tenantry.kept_0_0')::"uuid"[])
  with ordinality k(k0, n)
  join unnest($1::"int4"[])
  with ordinality s(x0, n) on s.n = k.n
  cross join (
    select current_setting('tenantry.kept_1_0')::"uuid"[] as a0
    offset 0) k1
  where t0."id" = k.k0
  returning t0."id" as k0, t0."assignee_id" as k1, t0."project_id" as k2)
select set_config('tenantry.count_4', count(*)::text, true), set_config('tenantry.kept_4_0', coalesce(array_agg(w.k0
      order by w.k0, w.k1, w.k2)::text, '{}'), true), set_config('tenantry.kept_4_1', coalesce(array_agg(w.k1
      order by w.k0, w.k1, w.k2)::text, '{}'), true), set_config('tenantry.kept_4_2', coalesce(array_agg(w.k2
      order by w.k0, w.k1, w.k2)::text, '{}'), true)
from w
-- $1 "{1}"

select (
  select row(t0."title", t1."id" is not null, t1."name", t2."id" is not null, t2."key", array(
      select row(t3."body", t4."id" is not null, t4."name")
      from (
        select t3.*
        from "comments" t3
        where t3."issue_id" = t0."id"
        order by t3."body", t3."id"
        limit $1::"int8") t3
      left join "users" t4 on t4."id" = t3."author_id"
      order by t3."body", t3."id"), array(
      select row(t5."name", t5."color")
      from "labels" t5
      join "issue_labels" t6 on t6."label_id" = t5."id"
      where t6."issue_id" = t0."id"
      order by t5."name"
      limit $2::"int8"))
  from unnest(current_setting('tenantry.kept_4_0')::"uuid"[])
  with ordinality k(k0, n)
  join "issues" t0 on t0."id" = k.k0
  left join "users" t1 on t1."id" = t0."assignee_id"
  left join "projects" t2 on t2."id" = t0."project_id"
  order by k.n)
-- $1 "50"
-- $2 "50"

with w as materialized (
  select t0."id" as k0, t0."assignee_id" as k1
  from "issues" t0
  where t0."id" = $1::"uuid"
  order by t0."id", t0."assignee_id" for update)
select set_config('tenantry.count_5', count(*)::text, true), set_config('tenantry.kept_5_0', coalesce(array_agg(w.k0)::text, '{}'), true), set_config('tenantry.kept_5_1', coalesce(array_agg(w.k1)::text, '{}'), true), case when count(*) = 0 then tenantry.fail('23503', $2::text) end
from w
-- $1 "c0000000-0000-0000-0000-000000000001"
-- $2 "there is no such Issue that others could be linked to"

with w as (
  update "issues" t0 set "assignee_id" = null
  from unnest(current_setting('tenantry.kept_5_0')::"uuid"[])
  with ordinality k(k0, n)
  where t0."id" = k.k0
  returning t0."id" as k0, t0."assignee_id" as k1)
select set_config('tenantry.count_6', count(*)::text, true), set_config('tenantry.kept_6_0', coalesce(array_agg(w.k0
      order by w.k0, w.k1)::text, '{}'), true), set_config('tenantry.kept_6_1', coalesce(array_agg(w.k1
      order by w.k0, w.k1)::text, '{}'), true)
from w

select (
  select row(t0."title", t1."id" is not null, t1."name", t2."id" is not null, t2."key", array(
      select row(t3."body", t4."id" is not null, t4."name")
      from (
        select t3.*
        from "comments" t3
        where t3."issue_id" = t0."id"
        order by t3."body", t3."id"
        limit $1::"int8") t3
      left join "users" t4 on t4."id" = t3."author_id"
      order by t3."body", t3."id"), array(
      select row(t5."name", t5."color")
      from "labels" t5
      join "issue_labels" t6 on t6."label_id" = t5."id"
      where t6."issue_id" = t0."id"
      order by t5."name"
      limit $2::"int8"))
  from unnest(current_setting('tenantry.kept_6_0')::"uuid"[])
  with ordinality k(k0, n)
  join "issues" t0 on t0."id" = k.k0
  left join "users" t1 on t1."id" = t0."assignee_id"
  left join "projects" t2 on t2."id" = t0."project_id"
  order by k.n)
-- $1 "50"
-- $2 "50"

with w as materialized (
  select t0."id" as k0, t0."lead_id" as k1
  from "projects" t0
  where t0."key" = $1::"text"
  order by t0."id", t0."lead_id" for update)
select set_config('tenantry.count_7', count(*)::text, true), set_config('tenantry.kept_7_0', coalesce(array_agg(w.k0)::text, '{}'), true), set_config('tenantry.kept_7_1', coalesce(array_agg(w.k1)::text, '{}'), true), case when count(*) = 0 then tenantry.fail('23503', $2::text) end
from w
-- $1 "OLD"
-- $2 "there is no such Project that others could be linked to"

with w as (
  select t0."id" as k0, s.n
  from unnest($1::"text"[])
  with ordinality s(x0, n)
  join "users" t0 on t0."email" = s.x0)
select set_config('tenantry.kept_8_0', coalesce(array_agg(w.k0
      order by w.n)::text, '{}'), true), case when count(*) < cardinality($1::"text"[]) then tenantry.fail('23503', $2::text) end
from w
-- $1 "{\"bob@golden.test\"}"
-- $2 "set.lead.connect: there is no such User"

with w as (
  update "projects" t0 set "lead_id" = case when s.x0 is null then t0."lead_id" else k8.a0[s.x0] end
  from unnest(current_setting('tenantry.kept_7_0')::"uuid"[])
  with ordinality k(k0, n)
  join unnest($1::"int4"[])
  with ordinality s(x0, n) on s.n = k.n
  cross join (
    select current_setting('tenantry.kept_8_0')::"uuid"[] as a0
    offset 0) k8
  where t0."id" = k.k0
  returning t0."id" as k0, t0."lead_id" as k1)
select set_config('tenantry.count_9', count(*)::text, true), set_config('tenantry.kept_9_0', coalesce(array_agg(w.k0
      order by w.k0, w.k1)::text, '{}'), true), set_config('tenantry.kept_9_1', coalesce(array_agg(w.k1
      order by w.k0, w.k1)::text, '{}'), true)
from w
-- $1 "{1}"

with w as (
  insert into "issues" ("title", "project_id")
  select s.x0, k9.a0[s.x1]
  from unnest($1::"text"[], $2::"int4"[])
  with ordinality s(x0, x1, n)
  cross join (
    select current_setting('tenantry.kept_9_0')::"uuid"[] as a0
    offset 0) k9
  order by s.n
  returning "id" as k0)
select set_config('tenantry.count_10', count(*)::text, true), set_config('tenantry.kept_10_0', coalesce(array_agg(w.k0)::text, '{}'), true), case when count(*) <> $3::"int8" then tenantry.fail('P0001', $4::text) end
from w
-- $1 "{\"x\"}"
-- $2 "{1}"
-- $3 "1"
-- $4 "set.issues.create: not all of the rows have been added"

select (
  select row(t1."id" is not null, t1."name", array(
      select row(t2."title", t2."number")
      from "issues" t2
      where t2."project_id" = t0."id"
      order by t2."id"
      limit $1::"int8"))
  from unnest(current_setting('tenantry.kept_9_0')::"uuid"[])
  with ordinality k(k0, n)
  join "projects" t0 on t0."id" = k.k0
  left join "users" t1 on t1."id" = t0."lead_id"
  order by k.n)
-- $1 "50"

with w as materialized (
  select t0."id" as k0, t0."lead_id" as k1
  from "projects" t0
  where t0."key" = $1::"text"
  order by t0."id", t0."lead_id" for update)
select set_config('tenantry.count_11', count(*)::text, true), set_config('tenantry.kept_11_0', coalesce(array_agg(w.k0)::text, '{}'), true), set_config('tenantry.kept_11_1', coalesce(array_agg(w.k1)::text, '{}'), true), case when count(*) = 0 then tenantry.fail('23503', $2::text) end
from w
-- $1 "OLD"
-- $2 "there is no such Project that others could be linked to"

with w as (
  update "projects" t0 set "lead_id" = null
  from unnest(current_setting('tenantry.kept_11_0')::"uuid"[])
  with ordinality k(k0, n)
  where t0."id" = k.k0
  returning t0."id" as k0, t0."lead_id" as k1)
select set_config('tenantry.count_12', count(*)::text, true), set_config('tenantry.kept_12_0', coalesce(array_agg(w.k0
      order by w.k0, w.k1)::text, '{}'), true), set_config('tenantry.kept_12_1', coalesce(array_agg(w.k1
      order by w.k0, w.k1)::text, '{}'), true)
from w

select (
  select row(t1."id" is not null, t1."name")
  from unnest(current_setting('tenantry.kept_12_0')::"uuid"[])
  with ordinality k(k0, n)
  join "projects" t0 on t0."id" = k.k0
  left join "users" t1 on t1."id" = t0."lead_id"
  order by k.n)

with w as materialized (
  select t0."id" as k0, t0."project_id" as k1
  from "issues" t0
  where t0."id" = $1::"uuid"
  order by t0."id", t0."project_id" for update)
select set_config('tenantry.count_13', count(*)::text, true), set_config('tenantry.kept_13_0', coalesce(array_agg(w.k0)::text, '{}'), true), set_config('tenantry.kept_13_1', coalesce(array_agg(w.k1)::text, '{}'), true), case when count(*) = 0 then tenantry.fail('23503', $2::text) end
from w
-- $1 "c0000000-0000-0000-0000-000000000001"
-- $2 "there is no such Issue that others could be linked to"

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
select set_config('tenantry.count_14', count(*)::text, true), set_config('tenantry.kept_14_0', coalesce(array_agg(w.k0)::text, '{}'), true)
from w
-- $1 "{\"FRESH\"}"
-- $2 "{\"Fresh\"}"
-- $3 "{\"FRESH\"}"

with w as (
  select t0."id" as k0, s.n
  from unnest($1::"text"[])
  with ordinality s(x0, n)
  join "projects" t0 on t0."key" = s.x0)
select set_config('tenantry.kept_15_0', coalesce(array_agg(w.k0
      order by w.n)::text, '{}'), true), case when count(*) < cardinality($1::"text"[]) then tenantry.fail('23503', $2::text) end
from w
-- $1 "{\"FRESH\"}"
-- $2 "set.project.connectOrCreate: there is no such Project"

with w as (
  update "issues" t0 set "project_id" = case when s.x0 is null then t0."project_id" else k15.a0[s.x0] end
  from unnest(current_setting('tenantry.kept_13_0')::"uuid"[])
  with ordinality k(k0, n)
  join unnest($1::"int4"[])
  with ordinality s(x0, n) on s.n = k.n
  cross join (
    select current_setting('tenantry.kept_15_0')::"uuid"[] as a0
    offset 0) k15
  where t0."id" = k.k0
  returning t0."id" as k0, t0."project_id" as k1)
select set_config('tenantry.count_16', count(*)::text, true), set_config('tenantry.kept_16_0', coalesce(array_agg(w.k0
      order by w.k0, w.k1)::text, '{}'), true), set_config('tenantry.kept_16_1', coalesce(array_agg(w.k1
      order by w.k0, w.k1)::text, '{}'), true)
from w
-- $1 "{1}"

select (
  select row(t1."id" is not null, t1."name")
  from unnest(current_setting('tenantry.kept_16_0')::"uuid"[])
  with ordinality k(k0, n)
  join "issues" t0 on t0."id" = k.k0
  left join "projects" t1 on t1."id" = t0."project_id"
  order by k.n)
