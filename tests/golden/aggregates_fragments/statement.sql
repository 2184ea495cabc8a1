select (
  select row(sum(t0."estimate_hours"), sum(t0."number"), count(*))
  from "issues" t0)
