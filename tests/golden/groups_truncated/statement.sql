select row(array(
    select row(date_trunc('month', t0."closed_at", 'UTC'), count(*))
    from "issues" t0
    group by date_trunc('month', t0."closed_at", 'UTC')
    order by date_trunc('month', t0."closed_at", 'UTC')
    limit $1::"int8"), array(
    select row(date_trunc('week', t1."created_at", $2::text), count(*))
    from "issues" t1
    group by date_trunc('week', t1."created_at", $2::text)
    order by date_trunc('week', t1."created_at", $2::text)
    limit $3::"int8"), array(
    select row(date_trunc('quarter', t2."due_date"::"timestamp")::"date", count(*))
    from "issues" t2
    group by date_trunc('quarter', t2."due_date"::"timestamp")::"date"
    order by date_trunc('quarter', t2."due_date"::"timestamp")::"date" desc nulls last
    limit $4::"int8"), array(
    select row(t3."due_date")
    from "issues" t3
    group by t3."due_date"
    order by t3."due_date"
    limit $5::"int8"))
-- $1 "50"
-- $2 "America/New_York"
-- $3 "50"
-- $4 "50"
-- $5 "50"
