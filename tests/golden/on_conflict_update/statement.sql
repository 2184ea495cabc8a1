with w as (
  insert into "labels" ("id", "name", "color", "description")
  select case when s.x1 then s.x0 else (gen_random_uuid())::"uuid" end, s.x2, s.x3, case when s.x5 then s.x4 else (''::text)::"text" end
  from unnest($1::"uuid"[], $2::"bool"[], $3::"text"[], $4::"text"[], $5::"text"[], $6::"bool"[])
  with ordinality s(x0, x1, x2, x3, x4, x5, n)
  order by s.n on conflict ("name") do
  update set "color" = excluded."color"
  returning "id" as k0)
select set_config('tenantry.count_0', count(*)::text, true), set_config('tenantry.kept_0_0', coalesce(array_agg(w.k0)::text, '{}'), true)
from w
-- $1 "{\"e0000000-0000-0000-0000-0000000000d1\",NULL}"
-- $2 "{t,f}"
-- $3 "{\"new\",\"bug\"}"
-- $4 "{\"#111111\",\"#222222\"}"
-- $5 "{NULL,\"Not taken over.\"}"
-- $6 "{f,t}"

select current_setting('tenantry.count_0')::int8, array(
  select row(t0."id", t0."name", t0."color", t0."description")
  from unnest(current_setting('tenantry.kept_0_0')::"uuid"[])
  with ordinality k(k0, n)
  join "labels" t0 on t0."id" = k.k0
  order by k.n)
