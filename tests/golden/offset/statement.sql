select row(array(
    select row(t0."title", t0."created_at")
    from "issues" t0
    order by t0."created_at", t0."id"
    limit $1::"int8"
    offset $2::"int8"), (($2::"int8" > 0 and exists (
        select
        from "issues" t1))))
-- $1 "3"
-- $2 "3"
