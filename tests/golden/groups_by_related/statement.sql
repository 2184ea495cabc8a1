select array(
  select row(t1."name", t3."role", count(*))
  from "issues" t0
  left join "users" t1 on t1."id" = t0."assignee_id"
  left join "projects" t2 on t2."id" = t0."project_id"
  left join "users" t3 on t3."id" = t2."lead_id"
  group by t1."name", t3."role"
  order by count(*) desc, t1."name" nulls first, t3."role"
  limit $1::"int8")
-- $1 "50"
