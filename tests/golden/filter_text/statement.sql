select array(
  select row(t0."title")
  from "issues" t0
  where t0."title" = $1::"text"
  order by t0."id"
  limit $2::"int8"), (
  select count(*)
  from "issues" t1
  where t1."title" <> $3::"text"), (
  select count(*)
  from "issues" t2
  where t2."title" = any($4::"text"[])), (
  select count(*)
  from "issues" t3
  where t3."title" <> all($5::"text"[])), (
  select count(*)
  from "issues" t4
  where t4."title" like $6::text), (
  select count(*)
  from "issues" t5
  where t5."title" ilike $7::text), array(
  select row(t6."title")
  from "issues" t6
  where t6."title" like $8::text
  order by t6."id"
  limit $9::"int8"), array(
  select row(t7."title")
  from "issues" t7
  where t7."title" like $10::text
  order by t7."id"
  limit $11::"int8"), array(
  select row(t8."title")
  from "issues" t8
  where t8."title" like $12::text
  order by t8."id"
  limit $13::"int8"), array(
  select row(t9."title", t9."body")
  from "issues" t9
  where t9."title" ilike $14::text
  order by t9."id"
  limit $15::"int8"), (
  select count(*)
  from "issues" t10
  where lower(t10."title") = lower($16::"text")), array(
  select row(t11."title")
  from "issues" t11
  where t11."title" ~ $17::text
  order by t11."id"
  limit $18::"int8"), (
  select count(*)
  from "issues" t12
  where t12."title" ~* $19::text), (
  select count(*)
  from "issues" t13
  where ((t13."title" like $20::text) is not true and t13."title" like $21::text))
-- $1 "Dark mode"
-- $2 "50"
-- $3 "Dark mode"
-- $4 "{\"Dark mode\",\"Rotate keys\",\"x\"}"
-- $5 "{\"Dark mode\"}"
-- $6 "L__ in%"
-- $7 "LOG%"
-- $8 "%50\\_\\%%"
-- $9 "50"
-- $10 "log%"
-- $11 "50"
-- $12 "%\\\\ really"
-- $13 "50"
-- $14 "%NAÏVE%"
-- $15 "50"
-- $16 "dark MODE"
-- $17 "^[A-Z].*s$"
-- $18 "50"
-- $19 "^LOG (in|out)"
-- $20 "%\"; drop table issues; --%"
-- $21 "%isn't%"
