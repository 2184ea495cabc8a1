select row(array(
    select row(t1."priority", t1."id", t1."title", t1."priority")
    from "issues" t1
    where t1."project_id" = t0."id" and (t1."priority", t1."id") < ($1::"issue_priority", $2::"uuid")
    order by t1."priority" desc, t1."id" desc
    limit $3::"int8"), (exists (
      select
      from "issues" t2
      where t2."project_id" = t0."id" and ((t2."priority", t2."id") < ($1::"issue_priority", $2::"uuid")) is not true)))
from "projects" t0
where t0."id" = $4::"uuid"
-- $1 binary [68, 69, 67, 68]
-- $2 binary [c0, 00, 00, 00, 00, 00, 00, 00, 00, 00, 00, 00, 00, 00, 00, 03]
-- $3 "3"
-- $4 "b0000000-0000-0000-0000-000000000001"
