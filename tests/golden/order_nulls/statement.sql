select array(
  select row(t0."title", t0."due_date")
  from "issues" t0
  order by t0."due_date", t0."number" desc, t0."id" desc
  limit $1::"int8"), array(
  select row(t1."title", t1."due_date")
  from "issues" t1
  order by t1."due_date" nulls first, t1."title", t1."id"
  limit $2::"int8"), array(
  select row(t2."title", t2."estimate_hours")
  from "issues" t2
  order by t2."estimate_hours" desc nulls last, t2."id" desc
  limit $3::"int8")
-- $1 "50"
-- $2 "50"
-- $3 "50"
