-- For five thousand tenants: what is in a schema is found by what depends on it, as pg_class has no index by schema; and
-- fingerprints are not kept, since all of them are found faster than those that have changed were.

create or replace function tenantry.measure_workspace(schema_name text, out bytes bigint, out live_rows bigint)
language plpgsql volatile
set search_path = pg_catalog
set lock_timeout = '200ms'
as $$
begin
  select coalesce(sum(greatest(pg_stat_get_live_tuples(c.oid), c.reltuples::bigint, 0))
           filter (where c.relkind = 'r' and c.relname not in ('tenantry_base_history', 'tenantry_app_history')), 0)
    into live_rows
    from pg_depend d
    join pg_class c on c.oid = d.objid
    where d.refclassid = 'pg_namespace'::regclass and d.refobjid = to_regnamespace(quote_ident(schema_name))
      and d.classid = 'pg_class'::regclass;
  select coalesce(sum(pg_total_relation_size(c.oid)), 0)
    into bytes
    from pg_depend d
    join pg_class c on c.oid = d.objid
    where d.refclassid = 'pg_namespace'::regclass and d.refobjid = to_regnamespace(quote_ident(schema_name))
      and d.classid = 'pg_class'::regclass and c.relkind in ('r', 'm', 'S');
exception when lock_not_available then
  bytes := null;
end
$$;

drop table tenantry.fingerprints;
