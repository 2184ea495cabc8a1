select t0."greeting", t0."logo_url"
from "workspace" t0
where t0."id" = $1::"int4"
-- $1 "1"
