select (
  select row(t0."number", t0."title")
  from "issues" t0
  where t0."id" = $1::"uuid"), (
  select row(t1."id", t1."name")
  from "labels" t1
  where t1."name" = $2::"text"), (
  select row(t2."title")
  from "issues" t2
  where t2."project_id" = $3::"uuid" and t2."number" = $4::"int4"), (
  select row(t3."issue_id", t3."label_id", t4."id" is not null, t4."title", t5."id" is not null, t5."name")
  from "issue_labels" t3
  left join "issues" t4 on t4."id" = t3."issue_id"
  left join "labels" t5 on t5."id" = t3."label_id"
  where t3."issue_id" = $5::"uuid" and t3."label_id" = $6::"uuid"), (
  select row(t6."title")
  from "issues" t6
  where t6."id" = $7::"uuid")
-- $1 "c0000000-0000-0000-0000-000000000001"
-- $2 "bug"
-- $3 "b0000000-0000-0000-0000-000000000002"
-- $4 "1"
-- $5 "c0000000-0000-0000-0000-000000000001"
-- $6 "e0000000-0000-0000-0000-000000000001"
-- $7 "c0000000-0000-0000-0000-0000000000ff"
