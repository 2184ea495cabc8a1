select row(array(
    select row(t0."due_date", t0."id", t0."title", t0."due_date")
    from (
      select t0.*
      from "issues" t0
      order by t0."due_date" desc, t0."id" desc
      limit $1::"int8") t0
    order by t0."due_date", t0."id"), (
    select count(*)
    from "issues" t1))
-- $1 "3"
