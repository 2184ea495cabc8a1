select array(
  select row(t0."key", (
      select row(count(*), sum(t1."estimate_hours"), max(t1."priority"))
      from "issues" t1
      where t1."project_id" = t0."id"), (
      select row(count(*), min(t2."due_date"))
      from "issues" t2
      where t2."project_id" = t0."id" and t2."priority" >= $1::"issue_priority"))
  from "projects" t0
  order by t0."key"
  limit $2::"int8"), array(
  select row(t3."name", (
      select row(count(distinct t4."project_id"), avg(t4."number")::"float8")
      from "issues" t4
      join "issue_labels" t5 on t5."issue_id" = t4."id"
      where t5."label_id" = t3."id"))
  from "labels" t3
  order by t3."id"
  limit $3::"int8")
-- $1 "high"
-- $2 "50"
-- $3 "50"
