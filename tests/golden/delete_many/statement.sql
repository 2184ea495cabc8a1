with w as materialized (
  select t0."issue_id" as k0, t0."label_id" as k1
  from "issue_labels" t0
  where exists (
    select
    from "labels" t1
    where t1."id" = t0."label_id" and t1."name" = $1::"text")
  order by t0."issue_id", t0."label_id" for update)
select set_config('tenantry.count_0', count(*)::text, true), set_config('tenantry.kept_0_0', coalesce(array_agg(w.k0
      order by w.k0, w.k1)::text, '{}'), true), set_config('tenantry.kept_0_1', coalesce(array_agg(w.k1
      order by w.k0, w.k1)::text, '{}'), true)
from w
-- $1 "bug"

with d as (
  delete
  from "issue_labels" t0 using unnest(current_setting('tenantry.kept_0_0')::"uuid"[], current_setting('tenantry.kept_0_1')::"uuid"[])
  with ordinality k(k0, k1, n)
  where t0."issue_id" = k.k0 and t0."label_id" = k.k1
  returning t0."issue_id" as k0, t0."label_id" as k1)
select (
  select count(*)
  from d), array(
  select row(t2."id" is not null, t2."number", t2."title", t3."id" is not null, t3."name", (
      select count(*)
      from "issues" t4
      join "issue_labels" t5 on t5."issue_id" = t4."id"
      where t5."label_id" = t3."id"))
  from d k
  join "issue_labels" t1 on t1."issue_id" = k.k0 and t1."label_id" = k.k1
  left join "issues" t2 on t2."id" = t1."issue_id"
  left join "labels" t3 on t3."id" = t1."label_id"
  order by k.k0, k.k1), (
  select num_nulls(set_config('tenantry.kept_0_0', coalesce(array_agg(w.k0)::text, '{}'), true), set_config('tenantry.kept_0_1', coalesce(array_agg(w.k1)::text, '{}'), true))
  from d w)
