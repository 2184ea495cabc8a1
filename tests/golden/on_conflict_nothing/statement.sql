with w as (
  insert into "labels" ("id", "name", "color")
  select case when s.x1 then s.x0 else (gen_random_uuid())::"uuid" end, s.x2, case when s.x4 then s.x3 else ('#808080'::text)::"text" end
  from unnest($1::"uuid"[], $2::"bool"[], $3::"text"[], $4::"text"[], $5::"bool"[])
  with ordinality s(x0, x1, x2, x3, x4, n)
  order by s.n on conflict ("name") do nothing
  returning "id" as k0)
select set_config('tenantry.count_0', count(*)::text, true), set_config('tenantry.kept_0_0', coalesce(array_agg(w.k0)::text, '{}'), true)
from w
-- $1 "{NULL,\"e0000000-0000-0000-0000-0000000000d2\",NULL,NULL}"
-- $2 "{f,t,f,f}"
-- $3 "{\"idea\",\"a new one\",\"bug\",\"idea\"}"
-- $4 "{\"#111111\",NULL,NULL,NULL}"
-- $5 "{t,f,f,f}"

with w as (
  select t0."id" as k0, s.n
  from unnest($1::"text"[])
  with ordinality s(x0, n)
  join "labels" t0 on t0."name" = s.x0)
select set_config('tenantry.kept_0_0', coalesce(array_agg(w.k0
      order by w.n)::text, '{}'), true)
from w
-- $1 "{\"idea\",\"a new one\",\"bug\",\"idea\"}"

select current_setting('tenantry.count_0')::int8, array(
  select row(t0."id", t0."name", t0."color")
  from unnest(current_setting('tenantry.kept_0_0')::"uuid"[])
  with ordinality k(k0, n)
  join "labels" t0 on t0."id" = k.k0
  order by k.n)

with w as (
  insert into "issue_labels" ("issue_id", "label_id")
  select s.x0, s.x1
  from unnest($1::"uuid"[], $2::"uuid"[])
  with ordinality s(x0, x1, n)
  order by s.n on conflict ("issue_id", "label_id") do nothing
  returning "issue_id" as k0, "label_id" as k1)
select set_config('tenantry.count_1', count(*)::text, true), set_config('tenantry.kept_1_0', coalesce(array_agg(w.k0)::text, '{}'), true), set_config('tenantry.kept_1_1', coalesce(array_agg(w.k1)::text, '{}'), true)
from w
-- $1 "{\"c0000000-0000-0000-0000-000000000001\"}"
-- $2 "{\"e0000000-0000-0000-0000-000000000001\"}"

with w as (
  select t0."issue_id" as k0, t0."label_id" as k1, s.n
  from unnest($1::"uuid"[], $2::"uuid"[])
  with ordinality s(x0, x1, n)
  join "issue_labels" t0 on t0."issue_id" = s.x0 and t0."label_id" = s.x1)
select set_config('tenantry.kept_1_0', coalesce(array_agg(w.k0
      order by w.n)::text, '{}'), true), set_config('tenantry.kept_1_1', coalesce(array_agg(w.k1
      order by w.n)::text, '{}'), true)
from w
-- $1 "{\"c0000000-0000-0000-0000-000000000001\"}"
-- $2 "{\"e0000000-0000-0000-0000-000000000001\"}"

select (
  select row(t1."id" is not null, t1."title")
  from unnest(current_setting('tenantry.kept_1_0')::"uuid"[], current_setting('tenantry.kept_1_1')::"uuid"[])
  with ordinality k(k0, k1, n)
  join "issue_labels" t0 on t0."issue_id" = k.k0 and t0."label_id" = k.k1
  left join "issues" t1 on t1."id" = t0."issue_id"
  order by k.n)
