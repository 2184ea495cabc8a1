select row(array(
    select row(t0."title")
    from "issues" t0
    where t0."status" <> $1::"issue_status"
    order by t0."id"
    limit $2::"int8"), (
    select row(count(*), count(distinct t1."assignee_id"), count(distinct t1."status"), count(distinct t1."due_date"), sum(t1."number"), sum(t1."estimate_hours"), avg(t1."number")::"float8", avg(t1."estimate_hours"), min(t1."title"), min(t1."status"), min(t1."created_at"), min(t1."due_date"), min(t1."estimate_hours"), max(t1."title"), max(t1."priority"), max(t1."created_at"), max(t1."closed_at"), max(t1."number"), stddev(t1."number")::"float8", stddev(t1."estimate_hours"), variance(t1."number")::"float8")
    from "issues" t1
    where t1."status" <> $1::"issue_status"))
-- $1 "done"
-- $2 "1"
