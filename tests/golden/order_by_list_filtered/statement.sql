select row(array(
    select row(t0."title", t3."id" is not null, t3."name")
    from (
      select t0.*, t1."a0" as "key 0", t2."a0" as "key 1"
      from "issues" t0
      cross join lateral (
        select count(*) as "a0"
        from "comments" t4
        where t4."issue_id" = t0."id") t1
      cross join lateral (
        select count(*) as "a0"
        from "issue_labels" t6
        join "labels" t5 on t5."id" = t6."label_id"
        where t6."issue_id" = t0."id") t2
      where t0."status" = $1::"issue_status"
      order by t1."a0" desc, t2."a0" desc, t0."id" desc
      limit $2::"int8") t0
    left join "users" t3 on t3."id" = t0."assignee_id"
    order by t0."key 0" desc, t0."key 1" desc, t0."id" desc), (
    select count(*)
    from "issues" t7
    where t7."status" = $1::"issue_status")), (
  select row(array(
      select row(t10."a0", t9."id", t9."title")
      from "issues" t9
      cross join lateral (
        select max(t11."created_at") as "a0"
        from "comments" t11
        where t11."issue_id" = t9."id") t10
      where t9."project_id" = t8."id"
      order by t10."a0" desc, t9."id" desc
      limit $3::"int8"))
  from "projects" t8
  where t8."id" = $4::"uuid")
-- $1 "open"
-- $2 "2"
-- $3 "50"
-- $4 "b0000000-0000-0000-0000-000000000001"
