with w as materialized (
  select t0."id" as k0, t0."assignee_id" as k1
  from "issues" t0
  where t0."id" = $1::"uuid"
  order by t0."id", t0."assignee_id" for update)
select set_config('tenantry.count_0', count(*)::text, true), set_config('tenantry.kept_0_0', coalesce(array_agg(w.k0)::text, '{}'), true), set_config('tenantry.kept_0_1', coalesce(array_agg(w.k1)::text, '{}'), true), case when count(*) = 0 then tenantry.fail('23503', $2::text) end
from w
-- $1 "c0000000-0000-0000-0000-000000000001"
-- $2 "there is no such Issue that others could be linked to"

with w as (
  select t0."id" as k0, s.n
  from unnest($1::"text"[])
  with ordinality s(x0, n)
  join "users" t0 on t0."email" = s.x0)
select set_config('tenantry.kept_1_0', coalesce(array_agg(w.k0
      order by w.n)::text, '{}'), true), case when count(*) < cardinality($1::"text"[]) then tenantry.fail('23503', $2::text) end
from w
-- $1 "{\"cleo@golden.test\"}"
-- $2 "set.assignee.connect: there is no such User"

with w as (
  update "issues" t0 set "assignee_id" = case when s.x0 is null then t0."assignee_id" else k1.a0[s.x0] end, "title" = $1::"text"
  from unnest(current_setting('tenantry.kept_0_0')::"uuid"[])
  with ordinality k(k0, n)
  join unnest($2::"int4"[])
  with ordinality s(x0, n) on s.n = k.n
  cross join (
    select current_setting('tenantry.kept_1_0')::"uuid"[] as a0
    offset 0) k1
  where t0."id" = k.k0
  returning t0."id" as k0, t0."assignee_id" as k1)
select set_config('tenantry.count_2', count(*)::text, true), set_config('tenantry.kept_2_0', coalesce(array_agg(w.k0
      order by w.k0, w.k1)::text, '{}'), true), set_config('tenantry.kept_2_1', coalesce(array_agg(w.k1
      order by w.k0, w.k1)::text, '{}'), true)
from w
-- $1 "Changed"
-- $2 "{1}"

with w as (
  select t0."id" as k0, s.n
  from unnest($1::"uuid"[], $2::"int4"[])
  with ordinality s(x0, x1, n)
  cross join (
    select current_setting('tenantry.kept_2_0')::"uuid"[] as a0
    offset 0) k2
  join "comments" t0 on t0."id" = s.x0 and t0."issue_id" = k2.a0[s.x1])
select set_config('tenantry.kept_3_0', coalesce(array_agg(w.k0
      order by w.n)::text, '{}'), true), case when count(*) < cardinality($1::"uuid"[]) then tenantry.fail('23503', $3::text) end
from w
-- $1 "{\"d0000000-0000-0000-0000-000000000002\"}"
-- $2 "{1}"
-- $3 "set.comments.delete: there is no such Comment"

delete
from "comments" t0 using unnest(current_setting('tenantry.kept_3_0')::"uuid"[])
with ordinality k(k0, n)
where t0."id" = k.k0

with w as (
  select t0."id" as k0, t0."author_id" as k1, s.n
  from unnest($1::"uuid"[], $2::"int4"[])
  with ordinality s(x0, x1, n)
  cross join (
    select current_setting('tenantry.kept_2_0')::"uuid"[] as a0
    offset 0) k2
  join "comments" t0 on t0."id" = s.x0 and t0."issue_id" = k2.a0[s.x1])
select set_config('tenantry.kept_4_0', coalesce(array_agg(w.k0
      order by w.n)::text, '{}'), true), set_config('tenantry.kept_4_1', coalesce(array_agg(w.k1
      order by w.n)::text, '{}'), true), case when count(*) < cardinality($1::"uuid"[]) then tenantry.fail('23503', $3::text) end
from w
-- $1 "{\"d0000000-0000-0000-0000-000000000001\"}"
-- $2 "{1}"
-- $3 "set.comments.update: there is no such Comment"

with w as (
  select t0."id" as k0, s.n
  from unnest($1::"text"[])
  with ordinality s(x0, n)
  join "users" t0 on t0."email" = s.x0)
select set_config('tenantry.kept_5_0', coalesce(array_agg(w.k0
      order by w.n)::text, '{}'), true), case when count(*) < cardinality($1::"text"[]) then tenantry.fail('23503', $2::text) end
from w
-- $1 "{\"bob@golden.test\"}"
-- $2 "set.comments.update.set.author.connect: there is no such User"

with w as (
  update "comments" t0 set "author_id" = case when s.x0 is null then t0."author_id" else k5.a0[s.x0] end, "body" = s.x1
  from unnest(current_setting('tenantry.kept_4_0')::"uuid"[])
  with ordinality k(k0, n)
  join unnest($1::"int4"[], $2::"text"[])
  with ordinality s(x0, x1, n) on s.n = k.n
  cross join (
    select current_setting('tenantry.kept_5_0')::"uuid"[] as a0
    offset 0) k5
  where t0."id" = k.k0
  returning t0."id" as k0, t0."author_id" as k1)
select set_config('tenantry.count_6', count(*)::text, true), set_config('tenantry.kept_6_0', coalesce(array_agg(w.k0
      order by w.k0, w.k1)::text, '{}'), true), set_config('tenantry.kept_6_1', coalesce(array_agg(w.k1
      order by w.k0, w.k1)::text, '{}'), true)
from w
-- $1 "{1}"
-- $2 "{\"edited\"}"

with w as (
  select t0."id" as k0, s.n
  from unnest($1::"text"[], $2::"int4"[])
  with ordinality s(x0, x1, n)
  cross join (
    select current_setting('tenantry.kept_2_0')::"uuid"[] as a0
    offset 0) k2
  join "labels" t0 on t0."name" = s.x0 and exists (
    select
    from "issue_labels" t1
    where t1."label_id" = t0."id" and t1."issue_id" = k2.a0[s.x1]))
select set_config('tenantry.kept_7_0', coalesce(array_agg(w.k0
      order by w.n)::text, '{}'), true), case when count(*) < cardinality($1::"text"[]) then tenantry.fail('23503', $3::text) end
from w
-- $1 "{\"bug\"}"
-- $2 "{1}"
-- $3 "set.labels.disconnect: there is no such Label"

delete
from "issue_labels" t0 using unnest($1::"int4"[])
with ordinality s(x0, n)
cross join (
  select current_setting('tenantry.kept_2_0')::"uuid"[] as a0
  offset 0) k2
cross join (
  select current_setting('tenantry.kept_7_0')::"uuid"[] as a0
  offset 0) k7
where t0."issue_id" = k2.a0[s.x0] and t0."label_id" = k7.a0[s.n]
-- $1 "{1}"

with w as (
  insert into "comments" ("body", "issue_id")
  select s.x0, k2.a0[s.x1]
  from unnest($1::"text"[], $2::"int4"[])
  with ordinality s(x0, x1, n)
  cross join (
    select current_setting('tenantry.kept_2_0')::"uuid"[] as a0
    offset 0) k2
  order by s.n
  returning "id" as k0)
select set_config('tenantry.count_8', count(*)::text, true), set_config('tenantry.kept_8_0', coalesce(array_agg(w.k0)::text, '{}'), true), case when count(*) <> $3::"int8" then tenantry.fail('P0001', $4::text) end
from w
-- $1 "{\"new\"}"
-- $2 "{1}"
-- $3 "1"
-- $4 "set.comments.create: not all of the rows have been added"

with w as (
  select t0."id" as k0, s.n
  from unnest($1::"uuid"[])
  with ordinality s(x0, n)
  join "comments" t0 on t0."id" = s.x0)
select set_config('tenantry.kept_9_0', coalesce(array_agg(w.k0
      order by w.n)::text, '{}'), true), case when count(*) < cardinality($1::"uuid"[]) then tenantry.fail('23503', $2::text) end
from w
-- $1 "{\"d0000000-0000-0000-0000-000000000003\"}"
-- $2 "set.comments.connect: there is no such Comment"

with w as (
  update "comments" t0 set "issue_id" = k2.a0[s.x0]
  from unnest(current_setting('tenantry.kept_9_0')::"uuid"[])
  with ordinality k(k0, n)
  join unnest($1::"int4"[])
  with ordinality s(x0, n) on s.n = k.n
  cross join (
    select current_setting('tenantry.kept_2_0')::"uuid"[] as a0
    offset 0) k2
  where t0."id" = k.k0
  returning t0."id" as k0)
select set_config('tenantry.count_10', count(*)::text, true), set_config('tenantry.kept_10_0', coalesce(array_agg(w.k0
      order by w.k0)::text, '{}'), true)
from w
-- $1 "{1}"

with w as (
  insert into "labels" ("name")
  select s.x0
  from unnest($1::"text"[])
  with ordinality s(x0, n)
  order by s.n
  returning "id" as k0)
select set_config('tenantry.count_11', count(*)::text, true), set_config('tenantry.kept_11_0', coalesce(array_agg(w.k0)::text, '{}'), true), case when count(*) <> $2::"int8" then tenantry.fail('P0001', $3::text) end
from w
-- $1 "{\"fresh\"}"
-- $2 "1"
-- $3 "set.labels.create: not all of the rows have been added"

with w as (
  select t0."id" as k0, s.n
  from unnest($1::"text"[])
  with ordinality s(x0, n)
  join "labels" t0 on t0."name" = s.x0)
select set_config('tenantry.kept_12_0', coalesce(array_agg(w.k0
      order by w.n)::text, '{}'), true), case when count(*) < cardinality($1::"text"[]) then tenantry.fail('23503', $2::text) end
from w
-- $1 "{\"idea\"}"
-- $2 "set.labels.connect: there is no such Label"

with w as (
  insert into "labels" ("name")
  select s.x0
  from unnest($1::"text"[], $2::"text"[])
  with ordinality s(x0, x1, n)
  where not exists (
    select
    from "labels" t0
    where t0."name" = s.x1)
  order by s.n on conflict ("name") do nothing
  returning "id" as k0)
select set_config('tenantry.count_13', count(*)::text, true), set_config('tenantry.kept_13_0', coalesce(array_agg(w.k0)::text, '{}'), true)
from w
-- $1 "{\"unused\"}"
-- $2 "{\"unused\"}"

with w as (
  select t0."id" as k0, s.n
  from unnest($1::"text"[])
  with ordinality s(x0, n)
  join "labels" t0 on t0."name" = s.x0)
select set_config('tenantry.kept_14_0', coalesce(array_agg(w.k0
      order by w.n)::text, '{}'), true), case when count(*) < cardinality($1::"text"[]) then tenantry.fail('23503', $2::text) end
from w
-- $1 "{\"unused\"}"
-- $2 "set.labels.connectOrCreate: there is no such Label"

with w as (
  insert into "issue_labels" ("issue_id", "label_id")
  select k2.a0[s.x0], k11.a0[s.n]
  from unnest($1::"int4"[])
  with ordinality s(x0, n)
  cross join (
    select current_setting('tenantry.kept_2_0')::"uuid"[] as a0
    offset 0) k2
  cross join (
    select current_setting('tenantry.kept_11_0')::"uuid"[] as a0
    offset 0) k11
  order by s.n on conflict ("issue_id", "label_id") do nothing
  returning "issue_id" as k0, "label_id" as k1)
select set_config('tenantry.count_15', count(*)::text, true), set_config('tenantry.kept_15_0', coalesce(array_agg(w.k0)::text, '{}'), true), set_config('tenantry.kept_15_1', coalesce(array_agg(w.k1)::text, '{}'), true)
from w
-- $1 "{1}"

with w as (
  insert into "issue_labels" ("issue_id", "label_id")
  select k2.a0[s.x0], k12.a0[s.n]
  from unnest($1::"int4"[])
  with ordinality s(x0, n)
  cross join (
    select current_setting('tenantry.kept_2_0')::"uuid"[] as a0
    offset 0) k2
  cross join (
    select current_setting('tenantry.kept_12_0')::"uuid"[] as a0
    offset 0) k12
  order by s.n on conflict ("issue_id", "label_id") do nothing
  returning "issue_id" as k0, "label_id" as k1)
select set_config('tenantry.count_16', count(*)::text, true), set_config('tenantry.kept_16_0', coalesce(array_agg(w.k0)::text, '{}'), true), set_config('tenantry.kept_16_1', coalesce(array_agg(w.k1)::text, '{}'), true)
from w
-- $1 "{1}"

with w as (
  insert into "issue_labels" ("issue_id", "label_id")
  select k2.a0[s.x0], k14.a0[s.n]
  from unnest($1::"int4"[])
  with ordinality s(x0, n)
  cross join (
    select current_setting('tenantry.kept_2_0')::"uuid"[] as a0
    offset 0) k2
  cross join (
    select current_setting('tenantry.kept_14_0')::"uuid"[] as a0
    offset 0) k14
  order by s.n on conflict ("issue_id", "label_id") do nothing
  returning "issue_id" as k0, "label_id" as k1)
select set_config('tenantry.count_17', count(*)::text, true), set_config('tenantry.kept_17_0', coalesce(array_agg(w.k0)::text, '{}'), true), set_config('tenantry.kept_17_1', coalesce(array_agg(w.k1)::text, '{}'), true)
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
  from unnest(current_setting('tenantry.kept_2_0')::"uuid"[])
  with ordinality k(k0, n)
  join "issues" t0 on t0."id" = k.k0
  left join "users" t1 on t1."id" = t0."assignee_id"
  left join "projects" t2 on t2."id" = t0."project_id"
  order by k.n)
-- $1 "50"
-- $2 "50"
