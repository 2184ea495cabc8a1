select t0."number", t0."title", t0."priority"::text, t2."id" is not null, t2."name"
from (
  select t0.*, t1."name" as "key 0"
  from "issues" t0
  left join "users" t1 on t1."id" = t0."assignee_id"
  where t0."status" = any($1::"issue_status"[])
  order by t1."name", t0."priority" desc, t0."id" desc
  limit $2::"int8") t0
left join "users" t2 on t2."id" = t0."assignee_id"
order by t0."key 0", t0."priority" desc, t0."id" desc
-- $1 "{\"open\",\"in_progress\"}"
-- $2 "50"
