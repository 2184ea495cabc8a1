with w as (
  select t0."id" as k0, s.n
  from unnest($1::"text"[])
  with ordinality s(x0, n)
  join "users" t0 on t0."email" = s.x0)
select set_config('tenantry.kept_0_0', coalesce(array_agg(w.k0
      order by w.n)::text, '{}'), true), case when count(*) < cardinality($1::"text"[]) then tenantry.fail('23503', $2::text) end
from w
-- $1 "{\"bob@golden.test\"}"
-- $2 "input.lead.connect: there is no such User"

with w as (
  insert into "projects" ("lead_id", "key", "name")
  select case when s.x0 is not null then k0.a0[s.x0] end, s.x1, s.x2
  from unnest($1::"int4"[], $2::"text"[], $3::"text"[])
  with ordinality s(x0, x1, x2, n)
  cross join (
    select current_setting('tenantry.kept_0_0')::"uuid"[] as a0
    offset 0) k0
  order by s.n
  returning "id" as k0)
select set_config('tenantry.count_1', count(*)::text, true), set_config('tenantry.kept_1_0', coalesce(array_agg(w.k0)::text, '{}'), true), case when count(*) <> $4::"int8" then tenantry.fail('P0001', $5::text) end
from w
-- $1 "{1}"
-- $2 "{\"NEW\"}"
-- $3 "{\"New things\"}"
-- $4 "1"
-- $5 "input: not all of the rows have been added"

with w as (
  select t0."id" as k0, s.n
  from unnest($1::"uuid"[])
  with ordinality s(x0, n)
  join "users" t0 on t0."id" = s.x0)
select set_config('tenantry.kept_2_0', coalesce(array_agg(w.k0
      order by w.n)::text, '{}'), true), case when count(*) < cardinality($1::"uuid"[]) then tenantry.fail('23503', $2::text) end
from w
-- $1 "{\"a0000000-0000-0000-0000-000000000003\"}"
-- $2 "input.issues.create.assignee.connect: there is no such User"

with w as (
  insert into "issues" ("assignee_id", "title", "status", "project_id")
  select case when s.x0 is not null then k2.a0[s.x0] end, s.x1, case when s.x3 then s.x2 else ('open'::issue_status)::"issue_status" end, k1.a0[s.x4]
  from unnest($1::"int4"[], $2::"text"[], $3::"issue_status"[], $4::"bool"[], $5::"int4"[])
  with ordinality s(x0, x1, x2, x3, x4, n)
  cross join (
    select current_setting('tenantry.kept_2_0')::"uuid"[] as a0
    offset 0) k2
  cross join (
    select current_setting('tenantry.kept_1_0')::"uuid"[] as a0
    offset 0) k1
  order by s.n
  returning "id" as k0)
select set_config('tenantry.count_3', count(*)::text, true), set_config('tenantry.kept_3_0', coalesce(array_agg(w.k0)::text, '{}'), true), case when count(*) <> $6::"int8" then tenantry.fail('P0001', $7::text) end
from w
-- $1 "{NULL,1,NULL}"
-- $2 "{\"First\",\"Second\",\"Third\"}"
-- $3 "{NULL,NULL,\"done\"}"
-- $4 "{f,f,t}"
-- $5 "{1,1,1}"
-- $6 "3"
-- $7 "input.issues.create: not all of the rows have been added"

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
-- $1 "{\"a\",\"b\",\"c\"}"
-- $2 "{1,1,3}"
-- $3 "3"
-- $4 "input.issues.create.comments.create: not all of the rows have been added"

with w as (
  insert into "labels" ("name")
  select s.x0
  from unnest($1::"text"[])
  with ordinality s(x0, n)
  order by s.n
  returning "id" as k0)
select set_config('tenantry.count_5', count(*)::text, true), set_config('tenantry.kept_5_0', coalesce(array_agg(w.k0)::text, '{}'), true), case when count(*) <> $2::"int8" then tenantry.fail('P0001', $3::text) end
from w
-- $1 "{\"fresh\"}"
-- $2 "1"
-- $3 "input.issues.create.labels.create: not all of the rows have been added"

with w as (
  select t0."id" as k0, s.n
  from unnest($1::"uuid"[])
  with ordinality s(x0, n)
  join "labels" t0 on t0."id" = s.x0)
select set_config('tenantry.kept_6_0', coalesce(array_agg(w.k0
      order by w.n)::text, '{}'), true), case when count(*) < cardinality($1::"uuid"[]) then tenantry.fail('23503', $2::text) end
from w
-- $1 "{\"e0000000-0000-0000-0000-000000000002\"}"
-- $2 "input.issues.create.labels.connect: there is no such Label"

with w as (
  select t0."id" as k0, s.n
  from unnest($1::"text"[])
  with ordinality s(x0, n)
  join "labels" t0 on t0."name" = s.x0)
select set_config('tenantry.kept_7_0', coalesce(array_agg(w.k0
      order by w.n)::text, '{}'), true), case when count(*) < cardinality($1::"text"[]) then tenantry.fail('23503', $2::text) end
from w
-- $1 "{\"bug\",\"bug\"}"
-- $2 "input.issues.create.labels.connect: there is no such Label"

with w as (
  insert into "issue_labels" ("issue_id", "label_id")
  select k3.a0[s.x0], k5.a0[s.n]
  from unnest($1::"int4"[])
  with ordinality s(x0, n)
  cross join (
    select current_setting('tenantry.kept_3_0')::"uuid"[] as a0
    offset 0) k3
  cross join (
    select current_setting('tenantry.kept_5_0')::"uuid"[] as a0
    offset 0) k5
  order by s.n on conflict ("issue_id", "label_id") do nothing
  returning "issue_id" as k0, "label_id" as k1)
select set_config('tenantry.count_8', count(*)::text, true), set_config('tenantry.kept_8_0', coalesce(array_agg(w.k0)::text, '{}'), true), set_config('tenantry.kept_8_1', coalesce(array_agg(w.k1)::text, '{}'), true)
from w
-- $1 "{1}"

with w as (
  insert into "issue_labels" ("issue_id", "label_id")
  select k3.a0[s.x0], k6.a0[s.n]
  from unnest($1::"int4"[])
  with ordinality s(x0, n)
  cross join (
    select current_setting('tenantry.kept_3_0')::"uuid"[] as a0
    offset 0) k3
  cross join (
    select current_setting('tenantry.kept_6_0')::"uuid"[] as a0
    offset 0) k6
  order by s.n on conflict ("issue_id", "label_id") do nothing
  returning "issue_id" as k0, "label_id" as k1)
select set_config('tenantry.count_9', count(*)::text, true), set_config('tenantry.kept_9_0', coalesce(array_agg(w.k0)::text, '{}'), true), set_config('tenantry.kept_9_1', coalesce(array_agg(w.k1)::text, '{}'), true)
from w
-- $1 "{1}"

with w as (
  insert into "issue_labels" ("issue_id", "label_id")
  select k3.a0[s.x0], k7.a0[s.n]
  from unnest($1::"int4"[])
  with ordinality s(x0, n)
  cross join (
    select current_setting('tenantry.kept_3_0')::"uuid"[] as a0
    offset 0) k3
  cross join (
    select current_setting('tenantry.kept_7_0')::"uuid"[] as a0
    offset 0) k7
  order by s.n on conflict ("issue_id", "label_id") do nothing
  returning "issue_id" as k0, "label_id" as k1)
select set_config('tenantry.count_10', count(*)::text, true), set_config('tenantry.kept_10_0', coalesce(array_agg(w.k0)::text, '{}'), true), set_config('tenantry.kept_10_1', coalesce(array_agg(w.k1)::text, '{}'), true)
from w
-- $1 "{1,3}"

select (
  select row(t0."key", t1."id" is not null, t1."name", array(
      select row(t2."number", t2."title", t2."status", t3."id" is not null, t3."name", array(
          select row(t4."body", t5."id" is not null, t5."name")
          from (
            select t4.*
            from "comments" t4
            where t4."issue_id" = t2."id"
            order by t4."body", t4."id"
            limit $1::"int8") t4
          left join "users" t5 on t5."id" = t4."author_id"
          order by t4."body", t4."id"), array(
          select row(t6."name")
          from "labels" t6
          join "issue_labels" t7 on t7."label_id" = t6."id"
          where t7."issue_id" = t2."id"
          order by t6."name"
          limit $2::"int8"))
      from (
        select t2.*
        from "issues" t2
        where t2."project_id" = t0."id"
        order by t2."number", t2."id"
        limit $3::"int8") t2
      left join "users" t3 on t3."id" = t2."assignee_id"
      order by t2."number", t2."id"))
  from unnest(current_setting('tenantry.kept_1_0')::"uuid"[])
  with ordinality k(k0, n)
  join "projects" t0 on t0."id" = k.k0
  left join "users" t1 on t1."id" = t0."lead_id"
  order by k.n)
-- $1 "50"
-- $2 "50"
-- $3 "50"
