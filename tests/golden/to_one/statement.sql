select array(
  select row(t0."key", t1."id" is not null, t1."name", t1."email")
  from (
    select t0.*
    from "projects" t0
    order by t0."key"
    limit $1::"int8") t0
  left join "users" t1 on t1."id" = t0."lead_id"
  order by t0."key"), array(
  select row(t3."id" is not null, t4."id" is not null, t5."id" is not null, t5."name", t6."id" is not null, t6."name")
  from (
    select t2.*
    from "comments" t2
    order by t2."id"
    limit $2::"int8") t2
  left join "issues" t3 on t3."id" = t2."issue_id"
  left join "projects" t4 on t4."id" = t3."project_id"
  left join "users" t5 on t5."id" = t4."lead_id"
  left join "users" t6 on t6."id" = t2."author_id"
  order by t2."id")
-- $1 "50"
-- $2 "1"
