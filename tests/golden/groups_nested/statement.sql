select array(
  select row(t0."key", array(
      select row(t1."status", count(*))
      from "issues" t1
      where t1."project_id" = t0."id" and t1."priority" <> $1::"issue_priority"
      group by t1."status"
      order by t1."status"
      limit $2::"int8"))
  from "projects" t0
  order by t0."key"
  limit $3::"int8"), array(
  select row(t2."name", row(array(
        select row(t3."title")
        from "issues" t3
        join "issue_labels" t4 on t4."issue_id" = t3."id"
        where t4."label_id" = t2."id"
        order by t3."id"
        limit $4::"int8"), array(
        select row(t7."key", count(*))
        from "issues" t5
        join "issue_labels" t6 on t6."issue_id" = t5."id"
        left join "projects" t7 on t7."id" = t5."project_id"
        where t6."label_id" = t2."id"
        group by t7."key"
        order by t7."key"
        limit $5::"int8")))
  from "labels" t2
  order by t2."name"
  limit $6::"int8")
-- $1 "low"
-- $2 "50"
-- $3 "50"
-- $4 "50"
-- $5 "50"
-- $6 "50"
