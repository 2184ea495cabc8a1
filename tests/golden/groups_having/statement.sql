select row(array(
    select row(t0."priority")
    from "issues" t0
    group by t0."priority"
    having ((count(*) >= $1::"int8" or max(t0."status") = any($2::"issue_status"[])) and count(distinct t0."project_id") < $3::"int8")
    order by t0."priority"
    limit $4::"int8"), array(
    select row(t1."status", avg(t1."estimate_hours"))
    from "issues" t1
    group by t1."status"
    having (sum(t1."estimate_hours") is null) is not true
    order by avg(t1."estimate_hours") desc nulls last, count(*), t1."status"
    limit $5::"int8"))
-- $1 "2"
-- $2 "{\"cancelled\"}"
-- $3 "2"
-- $4 "50"
-- $5 "50"
