with w as materialized (
  select t0."id" as k0
  from "projects" t0
  where t0."key" = $1::"text"
  order by t0."id" for update)
select set_config('tenantry.count_0', count(*)::text, true), set_config('tenantry.kept_0_0', coalesce(array_agg(w.k0)::text, '{}'), true), case when count(*) = 0 then tenantry.fail('23503', $2::text) end
from w
-- $1 "APP"
-- $2 "there is no such Project that others could be linked to"

with w as (
  select t0."id" as k0, s.n
  from unnest($1::"uuid"[], $2::"int4"[])
  with ordinality s(x0, x1, n)
  cross join (
    select current_setting('tenantry.kept_0_0')::"uuid"[] as a0
    offset 0) k0
  join "issues" t0 on t0."id" = s.x0 and t0."project_id" = k0.a0[s.x1])
select set_config('tenantry.kept_1_0', coalesce(array_agg(w.k0
      order by w.n)::text, '{}'), true), case when count(*) < cardinality($1::"uuid"[]) then tenantry.fail('23503', $3::text) end
from w
-- $1 "{\"c0000000-0000-0000-0000-000000000002\",\"c0000000-0000-0000-0000-000000000004\"}"
-- $2 "{1,1}"
-- $3 "set.issues.update: there is no such Issue"

with w as (
  update "issues" t0 set "title" = case when s.x1 then s.x0 else t0."title" end, "status" = case when s.x3 then s.x2 else t0."status" end, "estimate_hours" = case when s.x4 is not null then coalesce(t0."estimate_hours", 0) + s.x4 else t0."estimate_hours" end
  from unnest(current_setting('tenantry.kept_1_0')::"uuid"[])
  with ordinality k(k0, n)
  join unnest($1::"text"[], $2::"bool"[], $3::"issue_status"[], $4::"bool"[], $5::"numeric"[])
  with ordinality s(x0, x1, x2, x3, x4, n) on s.n = k.n
  where t0."id" = k.k0
  returning t0."id" as k0)
select set_config('tenantry.count_2', count(*)::text, true), set_config('tenantry.kept_2_0', coalesce(array_agg(w.k0
      order by w.k0)::text, '{}'), true)
from w
-- $1 "{\"two\",NULL}"
-- $2 "{t,f}"
-- $3 "{NULL,\"cancelled\"}"
-- $4 "{f,t}"
-- $5 "{\"1\",NULL}"

with w as (
  select t0."id" as k0, s.n
  from unnest($1::"text"[], $2::"int4"[])
  with ordinality s(x0, x1, n)
  cross join (
    select current_setting('tenantry.kept_1_0')::"uuid"[] as a0
    offset 0) k1
  join "labels" t0 on t0."name" = s.x0 and exists (
    select
    from "issue_labels" t1
    where t1."label_id" = t0."id" and t1."issue_id" = k1.a0[s.x1]))
select set_config('tenantry.kept_3_0', coalesce(array_agg(w.k0
      order by w.n)::text, '{}'), true), case when count(*) < cardinality($1::"text"[]) then tenantry.fail('23503', $3::text) end
from w
-- $1 "{\"bug\"}"
-- $2 "{2}"
-- $3 "set.issues.update.set.labels.disconnect: there is no such Label"

delete
from "issue_labels" t0 using unnest($1::"int4"[])
with ordinality s(x0, n)
cross join (
  select current_setting('tenantry.kept_1_0')::"uuid"[] as a0
  offset 0) k1
cross join (
  select current_setting('tenantry.kept_3_0')::"uuid"[] as a0
  offset 0) k3
where t0."issue_id" = k1.a0[s.x0] and t0."label_id" = k3.a0[s.n]
-- $1 "{2}"

with w as (
  select t0."id" as k0, s.n
  from unnest($1::"text"[], $2::"int4"[])
  with ordinality s(x0, x1, n)
  cross join (
    select current_setting('tenantry.kept_1_0')::"uuid"[] as a0
    offset 0) k1
  join "labels" t0 on t0."name" = s.x0 and exists (
    select
    from "issue_labels" t1
    where t1."label_id" = t0."id" and t1."issue_id" = k1.a0[s.x1]))
select set_config('tenantry.kept_4_0', coalesce(array_agg(w.k0
      order by w.n)::text, '{}'), true), case when count(*) < cardinality($1::"text"[]) then tenantry.fail('23503', $3::text) end
from w
-- $1 "{\"idea\"}"
-- $2 "{2}"
-- $3 "set.issues.update.set.labels.update: there is no such Label"

with w as (
  update "labels" t0 set "description" = s.x0
  from unnest(current_setting('tenantry.kept_4_0')::"uuid"[])
  with ordinality k(k0, n)
  join unnest($1::"text"[])
  with ordinality s(x0, n) on s.n = k.n
  where t0."id" = k.k0
  returning t0."id" as k0)
select set_config('tenantry.count_5', count(*)::text, true), set_config('tenantry.kept_5_0', coalesce(array_agg(w.k0
      order by w.k0)::text, '{}'), true)
from w
-- $1 "{\"An idea.\"}"

with w as (
  insert into "comments" ("body", "issue_id")
  select s.x0, k1.a0[s.x1]
  from unnest($1::"text"[], $2::"int4"[])
  with ordinality s(x0, x1, n)
  cross join (
    select current_setting('tenantry.kept_1_0')::"uuid"[] as a0
    offset 0) k1
  order by s.n
  returning "id" as k0)
select set_config('tenantry.count_6', count(*)::text, true), set_config('tenantry.kept_6_0', coalesce(array_agg(w.k0)::text, '{}'), true), case when count(*) <> $3::"int8" then tenantry.fail('P0001', $4::text) end
from w
-- $1 "{\"for two\"}"
-- $2 "{1}"
-- $3 "1"
-- $4 "set.issues.update.set.comments.create: not all of the rows have been added"

with w as (
  select t0."id" as k0, s.n
  from unnest($1::"uuid"[], $2::"int4"[], $3::"int4"[])
  with ordinality s(x0, x1, x2, n)
  cross join (
    select current_setting('tenantry.kept_0_0')::"uuid"[] as a0
    offset 0) k0
  join "issues" t0 on t0."project_id" = s.x0 and t0."number" = s.x1 and t0."project_id" = k0.a0[s.x2])
select set_config('tenantry.kept_7_0', coalesce(array_agg(w.k0
      order by w.n)::text, '{}'), true), case when count(*) < cardinality($1::"uuid"[]) then tenantry.fail('23503', $4::text) end
from w
-- $1 "{\"b0000000-0000-0000-0000-000000000001\"}"
-- $2 "{\"1\"}"
-- $3 "{1}"
-- $4 "set.issues.update: there is no such Issue"

with w as (
  update "issues" t0 set "due_date" = s.x0
  from unnest(current_setting('tenantry.kept_7_0')::"uuid"[])
  with ordinality k(k0, n)
  join unnest($1::"date"[])
  with ordinality s(x0, n) on s.n = k.n
  where t0."id" = k.k0
  returning t0."id" as k0)
select set_config('tenantry.count_8', count(*)::text, true), set_config('tenantry.kept_8_0', coalesce(array_agg(w.k0
      order by w.k0)::text, '{}'), true)
from w
-- $1 "{NULL}"

with w as (
  select t0."id" as k0, s.n
  from unnest($1::"uuid"[], $2::"int4"[])
  with ordinality s(x0, x1, n)
  cross join (
    select current_setting('tenantry.kept_7_0')::"uuid"[] as a0
    offset 0) k7
  join "comments" t0 on t0."id" = s.x0 and t0."issue_id" = k7.a0[s.x1])
select set_config('tenantry.kept_9_0', coalesce(array_agg(w.k0
      order by w.n)::text, '{}'), true), case when count(*) < cardinality($1::"uuid"[]) then tenantry.fail('23503', $3::text) end
from w
-- $1 "{\"d0000000-0000-0000-0000-000000000001\"}"
-- $2 "{1}"
-- $3 "set.issues.update.set.comments.update: there is no such Comment"

with w as (
  update "comments" t0 set "body" = s.x0
  from unnest(current_setting('tenantry.kept_9_0')::"uuid"[])
  with ordinality k(k0, n)
  join unnest($1::"text"[])
  with ordinality s(x0, n) on s.n = k.n
  where t0."id" = k.k0
  returning t0."id" as k0)
select set_config('tenantry.count_10', count(*)::text, true), set_config('tenantry.kept_10_0', coalesce(array_agg(w.k0
      order by w.k0)::text, '{}'), true)
from w
-- $1 "{\"seen\"}"

with w as (
  insert into "comments" ("body", "issue_id")
  select s.x0, k7.a0[s.x1]
  from unnest($1::"text"[], $2::"int4"[])
  with ordinality s(x0, x1, n)
  cross join (
    select current_setting('tenantry.kept_7_0')::"uuid"[] as a0
    offset 0) k7
  order by s.n
  returning "id" as k0)
select set_config('tenantry.count_11', count(*)::text, true), set_config('tenantry.kept_11_0', coalesce(array_agg(w.k0)::text, '{}'), true), case when count(*) <> $3::"int8" then tenantry.fail('P0001', $4::text) end
from w
-- $1 "{\"for one\"}"
-- $2 "{1}"
-- $3 "1"
-- $4 "set.issues.update.set.comments.create: not all of the rows have been added"

select (
  select row(array(
      select row(t1."number", t1."title", t1."status", t1."estimate_hours", t1."due_date", array(
          select row(t2."body")
          from "comments" t2
          where t2."issue_id" = t1."id"
          order by t2."body", t2."id"
          limit $1::"int8"), array(
          select row(t3."name", t3."description")
          from "labels" t3
          join "issue_labels" t4 on t4."label_id" = t3."id"
          where t4."issue_id" = t1."id"
          order by t3."id"
          limit $2::"int8"))
      from "issues" t1
      where t1."project_id" = t0."id"
      order by t1."number", t1."id"
      limit $3::"int8"))
  from unnest(current_setting('tenantry.kept_0_0')::"uuid"[])
  with ordinality k(k0, n)
  join "projects" t0 on t0."id" = k.k0
  order by k.n)
-- $1 "50"
-- $2 "50"
-- $3 "50"
