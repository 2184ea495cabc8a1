-- How much a tenant may do besides what one operation may ask for, and how much it has stored.

-- The names are those of src/limits.rs.
create or replace function tenantry.are_limits(limits jsonb) returns boolean
language sql immutable
return jsonb_typeof(limits) = 'object' and not exists (
  select from jsonb_each(limits) as one (name, value)
  where name not in ('complexity', 'depth', 'aliases', 'root_fields', 'rows', 'items', 'document', 'body', 'response',
      'requests', 'burst', 'concurrent', 'timeout', 'storage')
    or jsonb_typeof(value) <> 'number'
    or value::text !~ '^[1-9][0-9]{0,17}$'
);

-- In the tenant's row, so that all replicas hear of it at once; changed only when it turns.
alter table tenantry.tenants add column over_quota boolean not null default false;
comment on column tenantry.tenants.over_quota is 'There was more in its tables than it may store when they were last measured.';

create table tenantry.usage (
  tenant_id uuid primary key references tenantry.tenants on delete cascade,
  bytes bigint not null,
  measured_at timestamptz not null default now()
);
comment on table tenantry.usage is 'What each tenant has stored, measured every minute by one replica.';

alter table tenantry.usage enable row level security, force row level security;
create policy owner on tenantry.usage to current_user using (true);

-- Measures the tables of all tenants, and marks those that have more than they may. Null is no limit.
create function tenantry.measure(default_limit bigint) returns void
language plpgsql
set search_path = pg_catalog
as $$
begin
  insert into tenantry.usage (tenant_id, bytes)
    select t.id, coalesce(sum(pg_total_relation_size(c.oid)), 0)
    from tenantry.tenants t
    left join pg_namespace n on n.nspname = t.schema_name
    left join pg_class c on c.relnamespace = n.oid and c.relkind in ('r', 'm')
    where t.status <> 'deleted'
    group by t.id
    on conflict (tenant_id) do update set bytes = excluded.bytes, measured_at = excluded.measured_at;
  update tenantry.tenants t set over_quota = not t.over_quota
    from tenantry.usage u
    where u.tenant_id = t.id
      and t.over_quota <> coalesce(u.bytes > coalesce((t.limits ->> 'storage')::bigint, default_limit), false);
end
$$;
revoke execute on function tenantry.measure(bigint) from public;
