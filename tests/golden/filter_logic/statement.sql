select (
  select count(*)
  from "issues" t0
  where (t0."status" = $1::"issue_status" and t0."priority" = $2::"issue_priority")), (
  select count(*)
  from "issues" t1
  where (t1."status" = $3::"issue_status" or t1."priority" = $4::"issue_priority")), (
  select count(*)
  from "issues" t2
  where (t2."status" = $5::"issue_status") is not true), (
  select count(*)
  from "issues" t3
  where (t3."assignee_id" = $6::"uuid") is not true), (
  select count(*)
  from "issues" t4), (
  select count(*)
  from "issues" t5), (
  select count(*)
  from "issues" t6
  where false), array(
  select row(t7."title")
  from "issues" t7
  where ((t7."status" = $7::"issue_status" and (t7."priority" = $8::"issue_priority") is not true) or t7."number" = $9::"int4")
  order by t7."id"
  limit $10::"int8")
-- $1 "open"
-- $2 "high"
-- $3 "done"
-- $4 "urgent"
-- $5 "open"
-- $6 "a0000000-0000-0000-0000-000000000002"
-- $7 "open"
-- $8 "high"
-- $9 "3"
-- $10 "50"
