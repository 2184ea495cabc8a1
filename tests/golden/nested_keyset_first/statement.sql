select array(
  select row(t1."priority", t1."id", t1."title", t1."priority")
  from "issues" t1
  where t1."project_id" = t0."id"
  order by t1."priority" desc, t1."id" desc
  limit $1::"int8")
from "projects" t0
where t0."id" = $2::"uuid"
-- $1 "3"
-- $2 "b0000000-0000-0000-0000-000000000001"
