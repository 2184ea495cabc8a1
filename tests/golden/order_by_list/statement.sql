select array(
  select row(t0."key")
  from "projects" t0
  left join (
    select t2."project_id" as "k0", sum(t2."estimate_hours") as "a0", count(*) as "a1"
    from "issues" t2
    group by t2."project_id") t1 on t1."k0" = t0."id"
  order by t1."a0" desc nulls last, coalesce(t1."a1", 0), t0."id"
  limit (
    select $1::"int8")), array(
  select row(t3."name")
  from (
    select t3.*, coalesce(t4."a0", 0) as "key 0", t4."a1" as "key 1"
    from "labels" t3
    left join (
      select t6."label_id" as "k0", count(*) as "a0", max(t5."priority") as "a1"
      from "issue_labels" t6
      join "issues" t5 on t5."id" = t6."issue_id"
      group by t6."label_id") t4 on t4."k0" = t3."id"
    order by coalesce(t4."a0", 0), t4."a1" desc nulls last, t3."id" desc
    limit (
      select $2::"int8")) t3
  order by t3."key 0" desc, t3."key 1" nulls first, t3."id"), array(
  select row(t7."title", t11."id" is not null, t11."key")
  from (
    select t7.*, coalesce(t9."a0", 0) as "key 0", t10."a0" as "key 1"
    from "issues" t7
    left join "projects" t8 on t8."id" = t7."project_id"
    left join (
      select t12."project_id" as "k0", count(distinct t12."assignee_id") as "a0"
      from "issues" t12
      group by t12."project_id") t9 on t9."k0" = t8."id"
    left join (
      select t13."issue_id" as "k0", min(t13."created_at") as "a0"
      from "comments" t13
      group by t13."issue_id") t10 on t10."k0" = t7."id"
    order by coalesce(t9."a0", 0) desc, t10."a0", t7."id"
    limit (
      select $3::"int8")) t7
  left join "projects" t11 on t11."id" = t7."project_id"
  order by t7."key 0" desc, t7."key 1", t7."id")
-- $1 "50"
-- $2 "2"
-- $3 "50"
