with l as materialized (
  select t0."id" as k0
  from "issues" t0
  where (t0."status" <> $1::"issue_status" and exists (
      select
      from "projects" t1
      where t1."id" = t0."project_id" and t1."key" = $2::"text"))
  order by t0."id" for update), w as (
  update "issues" t2 set "due_date" = $3::"date"
  from l
  where t2."id" = l.k0
  returning t2."id" as k0)
select set_config('tenantry.count_0', count(*)::text, true), set_config('tenantry.kept_0_0', coalesce(array_agg(w.k0
      order by w.k0)::text, '{}'), true)
from w
-- $1 "done"
-- $2 "APP"
-- $3 "2026-12-24"

select current_setting('tenantry.count_0')::int8, array(
  select row(t0."number", t0."due_date")
  from unnest(current_setting('tenantry.kept_0_0')::"uuid"[])
  with ordinality k(k0, n)
  join "issues" t0 on t0."id" = k.k0
  order by k.n)
