with w as materialized (
  select t0."id" as k0
  from "close_issue"("id" => $1::"uuid", "comment" => $2::"text") t0
  where not (t0.* is null))
select set_config('tenantry.count_0', count(*)::text, true), set_config('tenantry.kept_0_0', coalesce(array_agg(w.k0)::text, '{}'), true)
from w
-- $1 "c0000000-0000-0000-0000-00000000ffff"
-- $2 "No such issue."

select (
  select row(t0."title", t0."status", (
      select count(*)
      from "comments" t1
      where t1."issue_id" = t0."id"))
  from unnest(current_setting('tenantry.kept_0_0')::"uuid"[])
  with ordinality k(k0, n)
  join "issues" t0 on t0."id" = k.k0
  order by k.n)
