select row(array(
    select row("issue_age_in_days"(t0."key row"), t0."title", t0."id", t0."title", "issue_age_in_days"(t0."key row"), t1."id" is not null, t1."name")
    from (
      select t0.*, coalesce(t0.*) as "key row"
      from "issues" t0
      where (t0."closed_at" is not null and "issue_age_in_days"(t0.*) >= $1::"int4")
      order by "issue_age_in_days"(t0.*) desc, t0."title", t0."id"
      limit $2::"int8") t0
    left join "users" t1 on t1."id" = t0."reporter_id"
    order by "issue_age_in_days"(t0."key row") desc, t0."title", t0."id"), (
    select row(max("issue_age_in_days"(t2.*)))
    from "issues" t2
    where (t2."closed_at" is not null and "issue_age_in_days"(t2.*) >= $1::"int4"))), array(
  select row(t3."body", t5."id" is not null, "issue_age_in_days"(t5.*))
  from (
    select t3.*, "issue_age_in_days"(t4.*) as "key 0"
    from "comments" t3
    left join "issues" t4 on t4."id" = t3."issue_id"
    where exists (
      select
      from "issues" t6
      where t6."id" = t3."issue_id" and "issue_age_in_days"(t6.*) = $3::"int4")
    order by "issue_age_in_days"(t4.*), t3."id"
    limit $4::"int8") t3
  left join "issues" t5 on t5."id" = t3."issue_id"
  order by t3."key 0", t3."id")
-- $1 "1"
-- $2 "2"
-- $3 "16"
-- $4 "50"
