select (
  select row(t0."name", t0."role")
  from "users" t0
  where t0."id" = $1::"uuid"), (
  select count(*)
  from "issues" t1
  where t1."status" = $2::"issue_status"), (
  select row(t2."color")
  from "labels" t2
  where t2."name" = $3::"text"), (
  select row(t3."name")
  from "users" t3
  where t3."email" = $4::"text"), array(
  select row(t4."name")
  from "labels" t4
  order by t4."id"
  limit $5::"int8")
-- $1 "a0000000-0000-0000-0000-000000000001"
-- $2 "open"
-- $3 "bug"
-- $4 "nobody@golden.test"
-- $5 "1"
