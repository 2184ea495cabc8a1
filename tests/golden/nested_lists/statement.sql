select t0."name", array(
  select row(t1."title", row(array(
        select row(t2."body", t3."id" is not null, t3."name")
        from (
          select t2.*
          from "comments" t2
          where t2."issue_id" = t1."id"
          order by t2."created_at" desc, t2."id" desc
          limit $1::"int8") t2
        left join "users" t3 on t3."id" = t2."author_id"
        order by t2."created_at" desc, t2."id" desc), (
        select count(*)
        from "comments" t4
        where t4."issue_id" = t1."id")), array(
      select row(t5."name", array(
          select row(t7."title")
          from "issues" t7
          join "issue_labels" t8 on t8."issue_id" = t7."id"
          where t8."label_id" = t5."id"
          order by t7."id"
          limit $2::"int8"
          offset $3::"int8"))
      from "labels" t5
      join "issue_labels" t6 on t6."label_id" = t5."id"
      where t6."issue_id" = t1."id"
      order by t5."id"
      limit $4::"int8"))
  from "issues" t1
  where t1."assignee_id" = t0."id"
  order by t1."id"
  limit $5::"int8")
from "users" t0
order by t0."name", t0."id"
limit $6::"int8"
-- $1 "1"
-- $2 "1"
-- $3 "1"
-- $4 "50"
-- $5 "2"
-- $6 "50"
