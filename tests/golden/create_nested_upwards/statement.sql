with w as (
  insert into "projects" ("key", "name")
  select s.x0, s.x1
  from unnest($1::"text"[], $2::"text"[])
  with ordinality s(x0, x1, n)
  order by s.n
  returning "id" as k0)
select set_config('tenantry.count_0', count(*)::text, true), set_config('tenantry.kept_0_0', coalesce(array_agg(w.k0)::text, '{}'), true), case when count(*) <> $3::"int8" then tenantry.fail('P0001', $4::text) end
from w
-- $1 "{\"UP\"}"
-- $2 "{\"Upwards\"}"
-- $3 "1"
-- $4 "inputs.issue.create.project.create: not all of the rows have been added"

with w as (
  select t0."id" as k0, s.n
  from unnest($1::"text"[])
  with ordinality s(x0, n)
  join "projects" t0 on t0."key" = s.x0)
select set_config('tenantry.kept_1_0', coalesce(array_agg(w.k0
      order by w.n)::text, '{}'), true), case when count(*) < cardinality($1::"text"[]) then tenantry.fail('23503', $2::text) end
from w
-- $1 "{\"OPS\"}"
-- $2 "inputs.issue.create.project.connect: there is no such Project"

with w as (
  insert into "issues" ("project_id", "title")
  select case when s.x0 is not null then k0.a0[s.x0] when s.x1 is not null then k1.a0[s.x1] end, s.x2
  from unnest($1::"int4"[], $2::"int4"[], $3::"text"[])
  with ordinality s(x0, x1, x2, n)
  cross join (
    select current_setting('tenantry.kept_0_0')::"uuid"[] as a0
    offset 0) k0
  cross join (
    select current_setting('tenantry.kept_1_0')::"uuid"[] as a0
    offset 0) k1
  order by s.n
  returning "id" as k0)
select set_config('tenantry.count_2', count(*)::text, true), set_config('tenantry.kept_2_0', coalesce(array_agg(w.k0)::text, '{}'), true), case when count(*) <> $4::"int8" then tenantry.fail('P0001', $5::text) end
from w
-- $1 "{1,NULL}"
-- $2 "{NULL,1}"
-- $3 "{\"new\",\"newer\"}"
-- $4 "2"
-- $5 "inputs.issue.create: not all of the rows have been added"

with w as (
  select t0."id" as k0, s.n
  from unnest($1::"uuid"[], $2::"int4"[])
  with ordinality s(x0, x1, n)
  join "issues" t0 on t0."project_id" = s.x0 and t0."number" = s.x1)
select set_config('tenantry.kept_3_0', coalesce(array_agg(w.k0
      order by w.n)::text, '{}'), true), case when count(*) < cardinality($1::"uuid"[]) then tenantry.fail('23503', $3::text) end
from w
-- $1 "{\"b0000000-0000-0000-0000-000000000001\"}"
-- $2 "{\"2\"}"
-- $3 "inputs.issue.connect: there is no such Issue"

with w as (
  insert into "comments" ("issue_id", "body")
  select case when s.x0 is not null then k2.a0[s.x0] when s.x1 is not null then k3.a0[s.x1] when s.x3 then s.x2 end, s.x4
  from unnest($1::"int4"[], $2::"int4"[], $3::"uuid"[], $4::"bool"[], $5::"text"[])
  with ordinality s(x0, x1, x2, x3, x4, n)
  cross join (
    select current_setting('tenantry.kept_2_0')::"uuid"[] as a0
    offset 0) k2
  cross join (
    select current_setting('tenantry.kept_3_0')::"uuid"[] as a0
    offset 0) k3
  order by s.n
  returning "id" as k0)
select set_config('tenantry.count_4', count(*)::text, true), set_config('tenantry.kept_4_0', coalesce(array_agg(w.k0)::text, '{}'), true)
from w
-- $1 "{1,NULL,NULL,2}"
-- $2 "{NULL,1,NULL,NULL}"
-- $3 "{NULL,NULL,\"c0000000-0000-0000-0000-000000000005\",NULL}"
-- $4 "{f,f,t,f}"
-- $5 "{\"on a new issue\",\"on an old issue\",\"plain\",\"on another new issue\"}"

select current_setting('tenantry.count_4')::int8, array(
  select row(t0."body", t1."id" is not null, t1."number", t1."title", t2."id" is not null, t2."key", t2."name", t3."id" is not null, t3."name")
  from unnest(current_setting('tenantry.kept_4_0')::"uuid"[])
  with ordinality k(k0, n)
  join "comments" t0 on t0."id" = k.k0
  left join "issues" t1 on t1."id" = t0."issue_id"
  left join "projects" t2 on t2."id" = t1."project_id"
  left join "users" t3 on t3."id" = t1."reporter_id"
  order by k.n)
