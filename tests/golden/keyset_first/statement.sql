select row(array(
    select row(t0."due_date", t0."id", t0."title", t0."due_date")
    from "issues" t0
    order by t0."due_date", t0."id"
    limit $1::"int8"), (
    select count(*)
    from "issues" t1))
-- $1 "3"
