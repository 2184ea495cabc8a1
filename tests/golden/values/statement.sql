select array(
  select row(t0."title", t0."body", t0."status", t0."priority", t0."number", t0."estimate_hours", t0."due_date", t0."custom_fields", t0."created_at", t0."closed_at")
  from "issues" t0
  order by t0."created_at", t0."id"
  limit $1::"int8"), array(
  select row(t1."description", t1."topics", t1."archived_at", t1."updated_at")
  from "projects" t1
  order by t1."created_at", t1."id"
  limit $2::"int8")
-- $1 "50"
-- $2 "50"
