with d as (
  delete
  from "issues" t0
  where t0."id" = $1::"uuid"
  returning t0."id" as k0)
select (
  select row(t1."title", t2."id" is not null, t2."name", array(
      select row(t3."name")
      from "labels" t3
      join "issue_labels" t4 on t4."label_id" = t3."id"
      where t4."issue_id" = t1."id"
      order by t3."id"
      limit $2::"int8"), row(array(
        select row(t5."body")
        from "comments" t5
        where t5."issue_id" = t1."id"
        order by t5."id"
        limit $3::"int8"), (
        select count(*)
        from "comments" t6
        where t6."issue_id" = t1."id")))
  from d k
  join "issues" t1 on t1."id" = k.k0
  left join "users" t2 on t2."id" = t1."assignee_id"
  order by k.k0), (
  select num_nulls(set_config('tenantry.kept_0_0', coalesce(array_agg(w.k0)::text, '{}'), true))
  from d w)
-- $1 "c0000000-0000-0000-0000-000000000001"
-- $2 "50"
-- $3 "50"

with d as (
  delete
  from "issues" t0
  where t0."id" = $1::"uuid"
  returning t0."id" as k0)
select (
  select row(t1."title")
  from d k
  join "issues" t1 on t1."id" = k.k0
  order by k.k0), (
  select num_nulls(set_config('tenantry.kept_1_0', coalesce(array_agg(w.k0)::text, '{}'), true))
  from d w)
-- $1 "c0000000-0000-0000-0000-000000000001"
