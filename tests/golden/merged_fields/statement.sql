select t0."number", t1."id" is not null, t1."email", t1."name", t0."title"
from (
  select t0.*
  from "issues" t0
  order by t0."number", t0."id"
  limit $1::"int8") t0
left join "users" t1 on t1."id" = t0."reporter_id"
order by t0."number", t0."id"
-- $1 "1"
