select t1."id" is not null, array(
  select row(true)
  from "comments" t2
  where t2."issue_id" = t0."id"
  order by t2."id"
  limit $1::"int8")
from (
  select t0.*
  from "issues" t0
  order by t0."id"
  limit $2::"int8") t0
left join "projects" t1 on t1."id" = t0."project_id"
order by t0."id"
-- $1 "1"
-- $2 "1"
