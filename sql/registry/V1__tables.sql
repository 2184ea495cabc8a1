-- The shared tables: who the tenants are, who may log in, and who belongs where.
--
-- Nobody but their owner gets a grant on them. Should a grant ever slip in, row-level security still shows
-- a tenant no more than its own rows; it is forced, so that only the owner's own policy exempts the owner.

-- PUBLIC may look names up in here, because the functions below are called from tenants' defaults and policies.
-- A grant per tenant instead would make this one catalog row grow with the fleet, and concurrent sign-ups collide.
grant usage on schema tenantry to public;

create function tenantry.tenant_id() returns uuid
language sql stable parallel safe
return nullif(current_setting('app.tenant_id', true), '')::uuid;
comment on function tenantry.tenant_id() is 'The tenant on whose behalf the transaction runs; null outside of requests.';

create function tenantry.user_id() returns uuid
language sql stable parallel safe
return nullif(current_setting('app.user_id', true), '')::uuid;
comment on function tenantry.user_id() is 'The user who sent the request; null for anonymous requests.';

create function tenantry.role() returns text
language sql stable parallel safe
return nullif(current_setting('app.role', true), '');
comment on function tenantry.role() is 'The user''s role in the tenant: owner, admin, member or viewer.';

create table tenantry.tenants (
  id uuid primary key,
  name text not null,
  subdomain text not null constraint tenants_subdomain_key unique,
  schema_name text not null constraint tenants_schema_name_key unique,
  role_name text not null constraint tenants_role_name_key unique,
  status text not null default 'active' check (status in ('active', 'suspended', 'deleted')),
  base_version integer not null,
  app_version integer not null,
  revision bigint not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
comment on column tenantry.tenants.base_version is 'The last migration of the service''s own tables.';
comment on column tenantry.tenants.app_version is 'The last migration of the app''s tables.';
comment on column tenantry.tenants.revision is 'Counts the changes of the row: of two copies of it, the greater one is newer.';

create table tenantry.accounts (
  id uuid primary key,
  email text not null,
  name text not null,
  password_hash text not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create unique index accounts_email_key on tenantry.accounts (lower(email));
comment on column tenantry.accounts.password_hash is 'Argon2id, as a PHC string.';

create table tenantry.memberships (
  account_id uuid not null references tenantry.accounts on delete cascade,
  tenant_id uuid not null references tenantry.tenants on delete cascade,
  role text not null check (role in ('owner', 'admin', 'member', 'viewer')),
  created_at timestamptz not null default now(),
  primary key (account_id, tenant_id)
);
create index memberships_tenant_id_idx on tenantry.memberships (tenant_id);

create table tenantry.settings (
  only_row boolean primary key default true check (only_row),
  request_role text not null,
  request_password text,
  users_table text
);
comment on column tenantry.settings.request_role is 'The role that request connections log in as.';
comment on column tenantry.settings.request_password is 'Its password; null when the operator keeps it.';
comment on column tenantry.settings.users_table is 'What every tenant''s own table of users is called.';

alter table tenantry.tenants enable row level security, force row level security;
alter table tenantry.accounts enable row level security, force row level security;
alter table tenantry.memberships enable row level security, force row level security;
alter table tenantry.settings enable row level security, force row level security;

create policy owner on tenantry.tenants to current_user using (true);
create policy owner on tenantry.accounts to current_user using (true);
create policy owner on tenantry.memberships to current_user using (true);
create policy owner on tenantry.settings to current_user using (true);

create policy tenant on tenantry.tenants for select using (id = tenantry.tenant_id());
create policy tenant on tenantry.memberships for select using (tenant_id = tenantry.tenant_id());
create policy tenant on tenantry.accounts for select using (
  id in (select account_id from tenantry.memberships where tenant_id = tenantry.tenant_id()));

create function tenantry.tenant_changes() returns trigger
language plpgsql
as $$
begin
  new.revision := old.revision + 1;
  new.updated_at := now();
  return new;
end
$$;
create trigger tenant_changes before update on tenantry.tenants
  for each row execute function tenantry.tenant_changes();

-- Every replica listens, so that a new or suspended tenant is known everywhere at once.
create function tenantry.tenant_changed() returns trigger
language plpgsql
as $$
begin
  perform pg_notify('tenantry_tenants', coalesce(new.id, old.id)::text);
  return null;
end
$$;
create trigger tenant_changed after insert or update or delete on tenantry.tenants
  for each row execute function tenantry.tenant_changed();

revoke execute on function tenantry.tenant_changes(), tenantry.tenant_changed() from public;
