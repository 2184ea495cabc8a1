with w as (
  insert into "labels" ("name")
  select s.x0
  from unnest($1::"text"[])
  with ordinality s(x0, n)
  order by s.n on conflict ("name") do
  update set "color" = excluded."color"
  returning "id" as k0)
select set_config('tenantry.count_0', count(*)::text, true), set_config('tenantry.kept_0_0', coalesce(array_agg(w.k0)::text, '{}'), true)
from w
-- $1 "{\"bug\",\"bug\"}"

select current_setting('tenantry.count_0')::int8
