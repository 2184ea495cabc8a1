select (
  select row(t0."id", t0."title")
  from "issues" t0
  where t0."id" = $1::"uuid"), (
  select row(t1."issue_id", t1."label_id")
  from "issue_labels" t1
  where t1."issue_id" = $2::"uuid" and t1."label_id" = $3::"uuid"), (
  select row(t2."id")
  from "issues" t2
  where t2."id" = $4::"uuid")
-- $1 "c0000000-0000-0000-0000-000000000004"
-- $2 "c0000000-0000-0000-0000-000000000004"
-- $3 "e0000000-0000-0000-0000-000000000002"
-- $4 "c0000000-0000-0000-0000-0000000000ff"
