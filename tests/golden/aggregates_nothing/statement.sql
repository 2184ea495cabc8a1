select (
  select row(count(*), count(distinct t0."body"), min(t0."body"), min(t0."created_at"), max(t0."body"))
  from "comments" t0
  where t0."body" = $1::"text")
-- $1 "nothing"
