select row(array(
    select row(t0."title", t1."id" is not null, t1."name")
    from (
      select t0.*, row_number() over () as "key place"
      from "search_issues"("query" => $1::"text") t0
      where t0."priority" = $2::"issue_priority"
      limit $3::"int8") t0
    left join "users" t1 on t1."id" = t0."assignee_id"
    order by t0."key place"), (
    select count(*)
    from "search_issues"("query" => $1::"text") t2
    where t2."priority" = $2::"issue_priority")), array(
  select row(t3."title")
  from "search_issues"("query" => $4::"text") t3
  limit $5::"int8")
-- $1 "fails"
-- $2 "high"
-- $3 "2"
-- $4 "unheard-of"
-- $5 "50"
