select (
  select row(t0."greeting", t0."logo_url", t1."id" is not null, t1."name", t1."seats")
  from "workspace" t0
  left join "shared"."plans" t1 on t1."id" = t0."plan_id"
  where t0."id" = $1::"int4"), array(
  select row(t2."id", t2."price_per_seat")
  from "shared"."plans" t2
  where not exists (
    select
    from "workspace" t3
    where t3."plan_id" = t2."id")
  order by t2."price_per_seat" desc, t2."id" desc
  limit $2::"int8")
-- $1 "1"
-- $2 "50"
