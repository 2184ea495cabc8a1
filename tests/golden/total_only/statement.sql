select (
  select count(*)
  from "issues" t0
  where t0."priority" = $1::"issue_priority")
-- $1 "high"
