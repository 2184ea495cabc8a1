select array(
  select row(t0."status")
  from "issues" t0
  where t0."status" <> all($1::"issue_status"[])
  order by t0."id"
  limit $2::"int8"), (
  select count(*)
  from "issues" t1
  where t1."priority" >= $3::"issue_priority"), (
  select count(*)
  from "issues" t2
  where (t2."number" <= $4::"int4" and t2."number" > $5::"int4")), array(
  select row(t3."estimate_hours")
  from "issues" t3
  where (t3."estimate_hours" < $6::"numeric" and t3."estimate_hours" >= $7::"numeric")
  order by t3."id"
  limit $8::"int8"), (
  select count(*)
  from "issues" t4
  where t4."due_date" = $9::"date"), array(
  select row(t5."closed_at")
  from "issues" t5
  where t5."closed_at" < $10::"timestamptz"
  order by t5."id"
  limit $11::"int8"), array(
  select row(t6."archived_at")
  from "projects" t6
  where t6."archived_at" = $12::"timestamptz"
  order by t6."id"
  limit $13::"int8"), (
  select count(*)
  from "issues" t7
  where t7."assignee_id" = $14::"uuid"), (
  select count(*)
  from "issues" t8
  where t8."assignee_id" is null), (
  select count(*)
  from "issues" t9
  where t9."assignee_id" is not null), array(
  select row(t10."name", t10."color")
  from "labels" t10
  where t10."color" = $15::"text"
  order by t10."id"
  limit $16::"int8")
-- $1 "{\"open\",\"done\"}"
-- $2 "50"
-- $3 "high"
-- $4 "3"
-- $5 "1"
-- $6 "1.50001"
-- $7 "0.1"
-- $8 "50"
-- $9 "2026-06-01"
-- $10 "2026-04-08T00:00:00.000002Z"
-- $11 "50"
-- $12 "2026-03-01T14:30:00+02:00"
-- $13 "50"
-- $14 "a0000000-0000-0000-0000-000000000002"
-- $15 "#0e8a16"
-- $16 "50"
