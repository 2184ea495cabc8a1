select row(array(
    select row(t0."title")
    from "issues" t0
    where exists (
      select
      from "users" t1
      where t1."id" = t0."assignee_id" and t1."name" like $1::text)
    order by t0."priority" desc, t0."title", t0."id"
    limit $2::"int8"), (
    select count(*)
    from "issues" t2
    where exists (
      select
      from "users" t3
      where t3."id" = t2."assignee_id" and t3."name" like $1::text))), array(
  select row(t4."title")
  from "issues" t4
  where ((t4."priority" = $3::"issue_priority" or exists (
        select
        from "users" t5
        where t5."id" = t4."assignee_id" and t5."name" like $4::text)) and t4."status" = $5::"issue_status")
  order by t4."id"
  limit $6::"int8")
-- $1 "Bob%"
-- $2 "2"
-- $3 "high"
-- $4 "Bob%"
-- $5 "open"
-- $6 "50"
