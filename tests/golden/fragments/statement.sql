select t0."title", t1."id" is not null, t1."name", t1."email", t0."status"::text, t2."id" is not null, t2."key", t0."id"
from (
  select t0.*
  from "issues" t0
  order by t0."id"
  limit $1::"int8") t0
left join "users" t1 on t1."id" = t0."assignee_id"
left join "projects" t2 on t2."id" = t0."project_id"
order by t0."id"
-- $1 "1"
