select array(
  select row(t0."key")
  from "projects" t0
  where (
    select (count(*) >= $1::"int8" and avg(t1."number")::"float8" < $2::"float8")
    from "issues" t1
    where t1."project_id" = t0."id")
  order by t0."id"
  limit $3::"int8"), array(
  select row(t2."key")
  from "projects" t2
  where ((
      select sum(t3."estimate_hours") > $4::"numeric"
      from "issues" t3
      where t3."project_id" = t2."id")) is not true
  order by t2."id"
  limit $5::"int8"), array(
  select row(t4."key")
  from "projects" t4
  where (exists (
      select
      from "issues" t5
      where t5."project_id" = t4."id" and t5."status" = $6::"issue_status") and (
      select count(*) = $7::"int8"
      from "issues" t6
      where t6."project_id" = t4."id" and t6."priority" = any($8::"issue_priority"[])))
  order by t4."id"
  limit $9::"int8"), array(
  select row(t7."name")
  from "labels" t7
  where ((
      select (count(*) <> $10::"int8" and max(t8."priority") = $11::"issue_priority")
      from "issue_labels" t9
      join "issues" t8 on t8."id" = t9."issue_id"
      where t9."label_id" = t7."id") or (
      select sum(t10."number") is null
      from "issue_labels" t11
      join "issues" t10 on t10."id" = t11."issue_id"
      where t11."label_id" = t7."id"))
  order by t7."id"
  limit $12::"int8"), array(
  select row(t12."body")
  from "comments" t12
  where exists (
    select
    from "issues" t13
    where t13."id" = t12."issue_id" and (
      select count(*) = any($13::"int8"[])
      from "comments" t14
      where t14."issue_id" = t13."id"))
  order by t12."id"
  limit $14::"int8")
-- $1 "2"
-- $2 "2"
-- $3 "50"
-- $4 "0"
-- $5 "50"
-- $6 "done"
-- $7 "3"
-- $8 "{\"high\",\"urgent\"}"
-- $9 "50"
-- $10 "3"
-- $11 "urgent"
-- $12 "50"
-- $13 "{\"2\",\"3\"}"
-- $14 "50"
