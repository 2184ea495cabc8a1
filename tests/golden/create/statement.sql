with w as (
  insert into "issues" ("id", "project_id", "title", "priority", "assignee_id", "estimate_hours", "custom_fields")
  select s.x0, s.x1, s.x2, s.x3, s.x4, s.x5, s.x6
  from unnest($1::"uuid"[], $2::"uuid"[], $3::"text"[], $4::"issue_priority"[], $5::"uuid"[], $6::"numeric"[], $7::"jsonb"[])
  with ordinality s(x0, x1, x2, x3, x4, x5, x6, n)
  order by s.n
  returning "id" as k0)
select set_config('tenantry.count_0', count(*)::text, true), set_config('tenantry.kept_0_0', coalesce(array_agg(w.k0)::text, '{}'), true)
from w
-- $1 "{\"c0000000-0000-0000-0000-0000000000aa\"}"
-- $2 "{\"b0000000-0000-0000-0000-000000000002\"}"
-- $3 "{\"Order new disks\"}"
-- $4 "{\"urgent\"}"
-- $5 "{NULL}"
-- $6 "{\"2.5\"}"
-- $7 "{\"{\\\"rack\\\":[1,2]}\"}"

select (
  select row(t0."number", t0."title", t0."status", t0."priority", t0."estimate_hours", t0."custom_fields", t1."id" is not null, t1."name", t2."id" is not null, t2."name", t3."id" is not null, t3."name", (
      select count(*)
      from "issues" t4
      where t4."project_id" = t3."id"), (
      select count(*)
      from "comments" t5
      where t5."issue_id" = t0."id"))
  from unnest(current_setting('tenantry.kept_0_0')::"uuid"[])
  with ordinality k(k0, n)
  join "issues" t0 on t0."id" = k.k0
  left join "users" t1 on t1."id" = t0."reporter_id"
  left join "users" t2 on t2."id" = t0."assignee_id"
  left join "projects" t3 on t3."id" = t0."project_id"
  order by k.n)
