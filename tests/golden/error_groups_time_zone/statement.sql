select array(
  select row(date_trunc('day', t0."created_at", $1::text), count(*))
  from "issues" t0
  group by date_trunc('day', t0."created_at", $1::text)
  order by date_trunc('day', t0."created_at", $1::text)
  limit $2::"int8")
-- $1 "Mars/Olympus"
-- $2 "50"
