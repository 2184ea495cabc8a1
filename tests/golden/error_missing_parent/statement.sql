with w as (
  insert into "comments" ("issue_id", "body")
  select s.x0, s.x1
  from unnest($1::"uuid"[], $2::"text"[])
  with ordinality s(x0, x1, n)
  order by s.n
  returning "id" as k0)
select set_config('tenantry.count_0', count(*)::text, true), set_config('tenantry.kept_0_0', coalesce(array_agg(w.k0)::text, '{}'), true)
from w
-- $1 "{\"c0000000-0000-0000-0000-0000000000ff\"}"
-- $2 "{\"Hello?\"}"

select (
  select row(t0."id")
  from unnest(current_setting('tenantry.kept_0_0')::"uuid"[])
  with ordinality k(k0, n)
  join "comments" t0 on t0."id" = k.k0
  order by k.n)
