-- Measures what tenants have stored some tenants at a time, so that a thousand of them do not take a core for seconds.

-- Measures the tables of those that were not measured since a moment, the longest unmeasured ones first, and marks those
-- that have more than they may. A null default is no limit. Says how many there were.
create function tenantry.measure(default_limit bigint, since timestamptz, most integer) returns integer
language plpgsql
set search_path = pg_catalog
as $$
declare
  measured integer;
begin
  with due as (
    select t.id, t.schema_name
    from tenantry.tenants t
    left join tenantry.usage u on u.tenant_id = t.id
    where t.status <> 'deleted' and (u.measured_at is null or u.measured_at < since)
    order by u.measured_at nulls first
    limit most
  ), sizes as (
    -- A schema's tables are found by what depends on it: pg_class has no index by schema.
    select due.id, coalesce(sum(pg_total_relation_size(c.oid)), 0) as bytes
    from due
    left join pg_namespace n on n.nspname = due.schema_name
    left join pg_depend d on d.refclassid = 'pg_namespace'::regclass and d.refobjid = n.oid and d.classid = 'pg_class'::regclass
    left join pg_class c on c.oid = d.objid and c.relkind in ('r', 'm')
    group by due.id
  ), kept as (
    insert into tenantry.usage (tenant_id, bytes, measured_at)
      select id, bytes, clock_timestamp() from sizes
      on conflict (tenant_id) do update set bytes = excluded.bytes, measured_at = excluded.measured_at
  ), marked as (
    update tenantry.tenants t set over_quota = not t.over_quota
      from sizes
      where t.id = sizes.id
        and t.over_quota <> coalesce(sizes.bytes > coalesce((t.limits ->> 'storage')::bigint, default_limit), false)
  )
  select count(*) into measured from sizes;
  return measured;
end
$$;
revoke execute on function tenantry.measure(bigint, timestamptz, integer) from public;
comment on function tenantry.measure(bigint) is 'For replicas of before: all tenants at once.';
