select t0."name"
from "labels" t0
order by t0."id"
limit $1::"int8"
-- $1 "1"
