select t0."title", t0."closed_at", (
  select count(*)
  from "comments" t1
  where t1."issue_id" = t0."id")
from (
  select t0.*, coalesce(t0.*) as "key row"
  from "search_issues"("query" => $1::"text") t0
  order by "issue_age_in_days"(t0.*) desc nulls last, t0."id" desc
  limit $2::"int8") t0
order by "issue_age_in_days"(t0."key row") nulls first, t0."id"
-- $1 "log"
-- $2 "1"
