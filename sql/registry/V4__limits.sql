-- Limits that a tenant has of its own, in place of the service's flags: {"complexity": 5000000, "rows": 5000}.

-- The names are those of src/limits.rs. A slip fails here rather than being passed over by every replica.
create function tenantry.are_limits(limits jsonb) returns boolean
language sql immutable
return jsonb_typeof(limits) = 'object' and not exists (
  select from jsonb_each(limits) as one (name, value)
  where name not in ('complexity', 'depth', 'aliases', 'root_fields', 'rows', 'items', 'document', 'body', 'response')
    or jsonb_typeof(value) <> 'number'
    or value::text !~ '^[1-9][0-9]{0,17}$'
);

alter table tenantry.tenants add column limits jsonb not null default '{}'
  constraint tenants_limits_check check (tenantry.are_limits(limits));
comment on column tenantry.tenants.limits is 'Takes effect on all replicas at once, as every change of a tenant does.';

revoke execute on function tenantry.are_limits(jsonb) from public;
