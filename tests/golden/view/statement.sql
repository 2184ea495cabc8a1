select row(array(
    select row(t0."key", t0."name", t0."issue_count", t0."unresolved_count", t0."unassigned_count", t0."last_activity_at")
    from "project_summaries" t0
    where t0."unresolved_count" > $1::"int4"
    order by t0."issue_count" desc, t0."project_id", t0."key", t0."name", t0."unresolved_count", t0."unassigned_count", t0."overdue_count", t0."last_activity_at"
    limit $2::"int8"), (
    select count(*)
    from "project_summaries" t1
    where t1."unresolved_count" > $1::"int4"))
-- $1 "0"
-- $2 "2"
