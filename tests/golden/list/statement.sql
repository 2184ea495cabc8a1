select t0."name", t0."color", t0."description", t0."created_at"
from "labels" t0
order by t0."id"
limit $1::"int8"
-- $1 "50"
