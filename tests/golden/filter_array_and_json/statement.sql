select array(
  select row(t0."key", t0."topics")
  from "projects" t0
  where t0."topics" = $1::"_text"
  order by t0."id"
  limit $2::"int8"), array(
  select row(t1."key", t1."topics")
  from "projects" t1
  where t1."topics" = $3::"_text"
  order by t1."id"
  limit $4::"int8"), array(
  select row(t2."topics")
  from "projects" t2
  where t2."topics" @> $5::"_text"
  order by t2."id"
  limit $6::"int8"), (
  select count(*)
  from "projects" t3
  where t3."topics" && $7::"_text"), array(
  select row(t4."key")
  from "projects" t4
  where t4."topics" <@ $8::"_text"
  order by t4."id"
  limit $9::"int8"), array(
  select row(t5."custom_fields")
  from "issues" t5
  where t5."custom_fields" @> $10::"jsonb"
  order by t5."id"
  limit $11::"int8"), array(
  select row(t6."custom_fields")
  from "issues" t6
  where t6."custom_fields" = $12::"jsonb"
  order by t6."id"
  limit $13::"int8"), (
  select count(*)
  from "issues" t7
  where t7."custom_fields" ? $14::text)
-- $1 "{\"web\",\"mobile\"}"
-- $2 "50"
-- $3 "{}"
-- $4 "50"
-- $5 "{\"a, b\"}"
-- $6 "50"
-- $7 "{\"web\",\"c \\\"d\\\"\"}"
-- $8 "{\"web\",\"mobile\",\"tv\"}"
-- $9 "50"
-- $10 "{\"build\":17}"
-- $11 "50"
-- $12 "{\"tags\":[\"a\",{\"b\":null}],\"build\":18}"
-- $13 "50"
-- $14 "build"
