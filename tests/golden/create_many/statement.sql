with w as (
  insert into "labels" ("id", "name", "color", "description")
  select s.x0, s.x1, case when s.x3 then s.x2 else ('#808080'::text)::"text" end, case when s.x5 then s.x4 else (''::text)::"text" end
  from unnest($1::"uuid"[], $2::"text"[], $3::"text"[], $4::"bool"[], $5::"text"[], $6::"bool"[])
  with ordinality s(x0, x1, x2, x3, x4, x5, n)
  order by s.n
  returning "id" as k0)
select set_config('tenantry.count_0', count(*)::text, true), set_config('tenantry.kept_0_0', coalesce(array_agg(w.k0)::text, '{}'), true)
from w
-- $1 "{\"e0000000-0000-0000-0000-0000000000b1\",\"e0000000-0000-0000-0000-0000000000b2\",\"e0000000-0000-0000-0000-0000000000b3\"}"
-- $2 "{\"zebra\",\"\\\"quoted\\\", {braces} \\\\ NULL\",\"apple\"}"
-- $3 "{NULL,\"#000000\",NULL}"
-- $4 "{f,t,f}"
-- $5 "{NULL,NULL,\"Fruit.\"}"
-- $6 "{f,f,t}"

select current_setting('tenantry.count_0')::int8, array(
  select row(t0."name", t0."color", t0."description", t0."id", (
      select count(*)
      from "issues" t1
      join "issue_labels" t2 on t2."issue_id" = t1."id"
      where t2."label_id" = t0."id"))
  from unnest(current_setting('tenantry.kept_0_0')::"uuid"[])
  with ordinality k(k0, n)
  join "labels" t0 on t0."id" = k.k0
  order by k.n)
