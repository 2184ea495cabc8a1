select row(array(
    select row(t0."due_date", t0."id", t0."title", t0."due_date")
    from (
      select t0.*
      from "issues" t0
      where ((t0."due_date" < $1::"date" or (t0."due_date" is not null and $1::"date" is null) or (t0."due_date" is not distinct
            from $1::"date" and (t0."id" < $2::"uuid"))))
      order by t0."due_date" desc, t0."id" desc
      limit $3::"int8") t0
    order by t0."due_date", t0."id"), (
    select count(*)
    from "issues" t1), (exists (
      select
      from "issues" t2
      where (((t2."due_date" < $1::"date" or (t2."due_date" is not null and $1::"date" is null) or (t2."due_date" is not distinct
              from $1::"date" and (t2."id" < $2::"uuid"))))) is not true)))
-- $1 null
-- $2 binary [c0, 00, 00, 00, 00, 00, 00, 00, 00, 00, 00, 00, 00, 00, 00, 05]
-- $3 "4"
