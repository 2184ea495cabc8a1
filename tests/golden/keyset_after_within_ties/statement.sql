select row(array(
    select row(t0."due_date", t0."id", t0."title", t0."due_date")
    from "issues" t0
    where ((t0."due_date" > $1::"date" or (t0."due_date" is null and $1::"date" is not null) or (t0."due_date" is not distinct
          from $1::"date" and (t0."id" > $2::"uuid"))))
    order by t0."due_date", t0."id"
    limit $3::"int8"), (
    select count(*)
    from "issues" t1), (exists (
      select
      from "issues" t2
      where (((t2."due_date" > $1::"date" or (t2."due_date" is null and $1::"date" is not null) or (t2."due_date" is not distinct
              from $1::"date" and (t2."id" > $2::"uuid"))))) is not true)))
-- $1 binary [00, 00, 25, b0]
-- $2 binary [c0, 00, 00, 00, 00, 00, 00, 00, 00, 00, 00, 00, 00, 00, 00, 01]
-- $3 "3"
