select row(array(
    select row(t1."a0", coalesce(t2."a0", 0), t0."id", t0."name", (
        select row(avg(t3."estimate_hours"))
        from "issues" t3
        where t3."reporter_id" = t0."id"))
    from "users" t0
    left join (
      select t4."reporter_id" as "k0", avg(t4."estimate_hours") as "a0"
      from "issues" t4
      group by t4."reporter_id") t1 on t1."k0" = t0."id"
    left join (
      select t5."author_id" as "k0", count(*) as "a0"
      from "comments" t5
      group by t5."author_id") t2 on t2."k0" = t0."id"
    where ((t1."a0" < $1::"numeric" or (t1."a0" is null and $1::"numeric" is not null) or (t1."a0" is not distinct
          from $1::"numeric" and (coalesce(t2."a0", 0) > $2::"int8" or (coalesce(t2."a0", 0) = $2::"int8" and (t0."id" > $3::"uuid"))))))
    order by t1."a0" desc nulls last, coalesce(t2."a0", 0), t0."id"
    limit (
      select $4::"int8")), (exists (
      select
      from "users" t6
      left join (
        select t9."reporter_id" as "k0", avg(t9."estimate_hours") as "a0"
        from "issues" t9
        group by t9."reporter_id") t7 on t7."k0" = t6."id"
      left join (
        select t10."author_id" as "k0", count(*) as "a0"
        from "comments" t10
        group by t10."author_id") t8 on t8."k0" = t6."id"
      where (((t7."a0" < $1::"numeric" or (t7."a0" is null and $1::"numeric" is not null) or (t7."a0" is not distinct
              from $1::"numeric" and (coalesce(t8."a0", 0) > $2::"int8" or (coalesce(t8."a0", 0) = $2::"int8" and (t6."id" > $3::"uuid"))))))) is not true)))
-- $1 binary [00, 01, 00, 00, 00, 00, 00, 10, 00, 28]
-- $2 binary [00, 00, 00, 00, 00, 00, 00, 01]
-- $3 binary [a0, 00, 00, 00, 00, 00, 00, 00, 00, 00, 00, 00, 00, 00, 00, 02]
-- $4 "2"
