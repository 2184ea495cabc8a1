-- Keys by which machines call one tenant's API.

create table tenantry.api_keys (
  id uuid primary key,
  tenant_id uuid not null references tenantry.tenants on delete cascade,
  name text not null,
  role text not null check (role in ('owner', 'admin', 'member', 'viewer')),
  prefix text not null,
  key_hash bytea not null constraint api_keys_key_hash_key unique,
  created_by uuid references tenantry.accounts on delete set null,
  created_at timestamptz not null default now(),
  expires_at timestamptz,
  last_used_at timestamptz
);
create index api_keys_tenant_id_idx on tenantry.api_keys (tenant_id);
create index api_keys_created_by_idx on tenantry.api_keys (created_by);
comment on column tenantry.api_keys.prefix is 'The beginning of the key, by which people tell keys apart.';
comment on column tenantry.api_keys.key_hash is 'SHA-256 of random bits, which nobody guesses.';
comment on column tenantry.api_keys.last_used_at is 'To the minute.';

alter table tenantry.api_keys enable row level security, force row level security;
create policy owner on tenantry.api_keys to current_user using (true);
