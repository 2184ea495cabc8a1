select row((
    select count(*)
    from "issues" t0
    where t0."number" <= $1::"int4"), array(
    select row(t1."assignee_id", t1."status", count(*), sum(t1."estimate_hours"), max(t1."priority"))
    from "issues" t1
    where t1."number" <= $1::"int4"
    group by t1."assignee_id", t1."status"
    order by t1."assignee_id", t1."status"
    limit $2::"int8"), array(
    select row(t2."priority", count(*))
    from "issues" t2
    where t2."number" <= $1::"int4"
    group by t2."priority"
    order by t2."priority" desc
    limit $3::"int8"
    offset $4::"int8"))
-- $1 "3"
-- $2 "50"
-- $3 "2"
-- $4 "1"
