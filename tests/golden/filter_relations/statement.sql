select (
  select count(*)
  from "issues" t0
  where exists (
    select
    from "projects" t1
    where t1."id" = t0."project_id" and exists (
      select
      from "users" t2
      where t2."id" = t1."lead_id" and t2."name" = $1::"text"))), array(
  select row(t3."title")
  from "issues" t3
  where exists (
    select
    from "comments" t4
    where t4."issue_id" = t3."id" and exists (
      select
      from "users" t5
      where t5."id" = t4."author_id" and t5."name" = $2::"text"))
  order by t3."id"
  limit $3::"int8"), (
  select count(*)
  from "issues" t6
  where not exists (
    select
    from "comments" t7
    where t7."issue_id" = t6."id" and (t7."body" like $4::text) is not true)), (
  select count(*)
  from "issues" t8
  where not exists (
    select
    from "comments" t9
    where t9."issue_id" = t8."id")), array(
  select row(t10."title")
  from "issues" t10
  where exists (
    select
    from "issue_labels" t12
    join "labels" t11 on t11."id" = t12."label_id"
    where t12."issue_id" = t10."id" and t11."name" = $5::"text")
  order by t10."id"
  limit $6::"int8"), array(
  select row(t13."name")
  from "labels" t13
  where not exists (
    select
    from "issue_labels" t15
    join "issues" t14 on t14."id" = t15."issue_id"
    where t15."label_id" = t13."id")
  order by t13."id"
  limit $7::"int8"), array(
  select row(t16."key")
  from "projects" t16
  where not exists (
    select
    from "issues" t17
    where t17."project_id" = t16."id" and t17."status" = $8::"issue_status")
  order by t16."id"
  limit $9::"int8")
-- $1 "Ada"
-- $2 "Ada"
-- $3 "50"
-- $4 "I see%"
-- $5 "idea"
-- $6 "50"
-- $7 "50"
-- $8 "open"
-- $9 "50"
