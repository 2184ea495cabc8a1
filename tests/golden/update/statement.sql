with w as (
  update "issues" t0 set "title" = $1::"text", "assignee_id" = $2::"uuid"
  where t0."project_id" = $3::"uuid" and t0."number" = $4::"int4"
  returning t0."id" as k0)
select set_config('tenantry.count_0', count(*)::text, true), set_config('tenantry.kept_0_0', coalesce(array_agg(w.k0)::text, '{}'), true)
from w
-- $1 "Darker mode"
-- $2 null
-- $3 "b0000000-0000-0000-0000-000000000001"
-- $4 "2"

select (
  select row(t0."title", t0."body", t0."status", t1."id" is not null, t1."name", array(
      select row(t2."name")
      from "labels" t2
      join "issue_labels" t3 on t3."label_id" = t2."id"
      where t3."issue_id" = t0."id"
      order by t2."id"
      limit $1::"int8"))
  from unnest(current_setting('tenantry.kept_0_0')::"uuid"[])
  with ordinality k(k0, n)
  join "issues" t0 on t0."id" = k.k0
  left join "users" t1 on t1."id" = t0."assignee_id"
  order by k.n)
-- $1 "50"

with w as (
  update "issues" t0 set "title" = $1::"text"
  where t0."id" = $2::"uuid"
  returning t0."id" as k0)
select set_config('tenantry.count_1', count(*)::text, true), set_config('tenantry.kept_1_0', coalesce(array_agg(w.k0)::text, '{}'), true)
from w
-- $1 "nobody"
-- $2 "c0000000-0000-0000-0000-0000000000ff"

select (
  select row(t0."title")
  from unnest(current_setting('tenantry.kept_1_0')::"uuid"[])
  with ordinality k(k0, n)
  join "issues" t0 on t0."id" = k.k0
  order by k.n)
