select t0."key", row(array(
    select row(t1."title", t1."id", t1."title", array(
        select row(t2."name")
        from "labels" t2
        join "issue_labels" t3 on t3."label_id" = t2."id"
        where t3."issue_id" = t1."id"
        order by t2."name" desc
        limit $1::"int8"))
    from "issues" t1
    where t1."project_id" = t0."id" and t1."status" <> $2::"issue_status"
    order by t1."title" desc, t1."id" desc
    limit $3::"int8"), (
    select count(*)
    from "issues" t4
    where t4."project_id" = t0."id" and t4."status" <> $2::"issue_status"))
from "projects" t0
order by t0."key"
limit $4::"int8"
-- $1 "50"
-- $2 "done"
-- $3 "3"
-- $4 "50"
