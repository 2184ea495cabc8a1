-- Addresses at which operators fetch the archive of a tenant, once. The archive itself is made when it is fetched.
create table tenantry.exports (
  token_hash bytea primary key,
  tenant_id uuid not null references tenantry.tenants on delete cascade,
  operator_id uuid not null references tenantry.operators on delete cascade,
  expires_at timestamptz not null
);
create index exports_tenant_id_idx on tenantry.exports (tenant_id);
create index exports_operator_id_idx on tenantry.exports (operator_id);
create index exports_expires_at_idx on tenantry.exports (expires_at);
comment on column tenantry.exports.token_hash is 'SHA-256 of the token in the address.';

alter table tenantry.exports enable row level security, force row level security;
create policy owner on tenantry.exports to current_user using (true);
