-- Those who run the service, and what they do with tenants.

create table tenantry.operators (
  id uuid primary key,
  email text not null,
  password_hash text,
  one_time_hash bytea unique,
  one_time_until timestamptz,
  token_key uuid not null default gen_random_uuid(),
  disabled_at timestamptz,
  last_log_in_at timestamptz,
  created_at timestamptz not null default now(),
  check ((one_time_hash is null) = (one_time_until is null))
);
create unique index operators_email_key on tenantry.operators (lower(email));
comment on column tenantry.operators.password_hash is 'Argon2id, as a PHC string; null until the operator has chosen one.';
comment on column tenantry.operators.one_time_hash is 'SHA-256 of the token by which a password is chosen.';
comment on column tenantry.operators.token_key is 'Access tokens carry it: with another one, all of them are void.';

alter table tenantry.tenants
  add column suspended_at timestamptz,
  add column suspension_reason text,
  add column deleted_at timestamptz,
  add column purge_after timestamptz,
  add column purging boolean not null default false;
comment on column tenantry.tenants.suspended_at is 'Outlasts a deletion, so that what is restored is suspended still.';
comment on column tenantry.tenants.purge_after is 'Until then a deleted tenant is kept for certain.';
comment on column tenantry.tenants.purging is 'Its tables are being dropped: there is no way back.';

-- Where tenants were before. The name stays theirs until the redirection ends.
create table tenantry.redirections (
  subdomain text primary key,
  tenant_id uuid not null references tenantry.tenants on delete cascade,
  until timestamptz not null
);
create index redirections_tenant_id_idx on tenantry.redirections (tenant_id);

-- Apart from the tenants themselves, whose every change goes to all replicas.
create table tenantry.activity (
  tenant_id uuid primary key references tenantry.tenants on delete cascade,
  last_at timestamptz not null
);
comment on column tenantry.activity.last_at is 'When somebody who belongs to the tenant last sent a request; true to about a minute.';

alter table tenantry.operators enable row level security, force row level security;
alter table tenantry.redirections enable row level security, force row level security;
alter table tenantry.activity enable row level security, force row level security;
create policy owner on tenantry.operators to current_user using (true);
create policy owner on tenantry.redirections to current_user using (true);
create policy owner on tenantry.activity to current_user using (true);

-- After the row, not before: whoever had to wait for a name that was given up sees here to whom it redirects.
create function tenantry.check_redirections() returns trigger
language plpgsql
set search_path = pg_catalog
as $$
begin
  if exists (select from tenantry.redirections r
             where r.subdomain = new.subdomain and r.tenant_id <> new.id and r.until > now())
  then
    raise unique_violation using message = 'the subdomain redirects to another tenant',
      constraint = 'tenants_subdomain_key', schema = 'tenantry', table = 'tenants';
  end if;
  delete from tenantry.redirections r where r.subdomain = new.subdomain;
  return null;
end
$$;
create trigger check_redirections after insert or update of subdomain on tenantry.tenants
  for each row execute function tenantry.check_redirections();

-- Bytes and (estimated) rows of a schema; null for what somebody has locked altogether.
create function tenantry.measure_workspace(schema_name text, out bytes bigint, out live_rows bigint)
language plpgsql volatile
set search_path = pg_catalog
set lock_timeout = '200ms'
as $$
begin
  select coalesce(sum(greatest(pg_stat_get_live_tuples(c.oid), c.reltuples::bigint, 0))
           filter (where c.relkind = 'r' and c.relname not in ('tenantry_base_history', 'tenantry_app_history')), 0)
    into live_rows
    from pg_class c where c.relnamespace = to_regnamespace(quote_ident(schema_name));
  select coalesce(sum(pg_total_relation_size(c.oid)), 0)
    into bytes
    from pg_class c
    where c.relnamespace = to_regnamespace(quote_ident(schema_name)) and c.relkind in ('r', 'm', 'S');
exception when lock_not_available then
  bytes := null;
end
$$;

-- A deleted tenant's role cannot look a single name up, whatever a replica may believe.
create function tenantry.close_workspace(schema_name text, role_name text) returns void
language plpgsql
set search_path = pg_catalog
as $$
begin
  execute format('revoke usage on schema %I from %I', schema_name, role_name);
end
$$;

create function tenantry.open_workspace(schema_name text, role_name text) returns void
language plpgsql
set search_path = pg_catalog
as $$
begin
  execute format('grant usage on schema %I to %I', schema_name, role_name);
end
$$;

-- Drops tables until few enough are left for one transaction: each takes locks, of which Postgres has a fixed number.
-- Says how many tables are left.
create function tenantry.drop_tables(schema_name text, most integer, keep integer) returns bigint
language plpgsql
set search_path = pg_catalog
as $$
declare
  namespace regnamespace := to_regnamespace(quote_ident(schema_name));
  tables bigint := (select count(*) from pg_class where relnamespace = namespace and relkind in ('r', 'p', 'f', 'm', 'v'));
  one record;
begin
  if tables > keep then
    -- Partitions before what they are parts of: dropping that would drop all of them at once.
    for one in
      select c.oid, c.relkind from pg_class c
      where c.relnamespace = namespace and c.relkind in ('r', 'p', 'f', 'm', 'v')
      order by c.relispartition desc, c.relkind = 'p', c.oid desc limit most
    loop
      -- Gone already, with one that it depends on?
      if exists (select from pg_class where oid = one.oid) then
        execute format('drop %s %s cascade',
          case one.relkind when 'm' then 'materialized view' when 'v' then 'view' when 'f' then 'foreign table'
            else 'table' end,
          (select format('%I.%I', schema_name, relname) from pg_class where oid = one.oid));
      end if;
    end loop;
  end if;
  return (select count(*) from pg_class where relnamespace = namespace and relkind in ('r', 'p', 'f', 'm', 'v'));
end
$$;

-- The schema and the role with all that they own and may do, as far as there still are any.
create function tenantry.drop_workspace(schema_name text, role_name text) returns void
language plpgsql
set search_path = pg_catalog
as $$
begin
  if to_regnamespace(quote_ident(schema_name)) is not null then
    execute format('drop schema %I cascade', schema_name);
  end if;
  if exists (select from pg_roles where rolname = role_name) then
    -- What migrations granted outside of the schema goes too, which only members of the role may take away.
    if not pg_has_role(role_name, 'usage') then
      execute format('grant %I to %I', role_name, current_user);
    end if;
    execute format('drop owned by %I', role_name);
    execute format('drop role %I', role_name);
  end if;
end
$$;

revoke execute on function
  tenantry.check_redirections(),
  tenantry.measure_workspace(text),
  tenantry.close_workspace(text, text),
  tenantry.open_workspace(text, text),
  tenantry.drop_tables(text, integer, integer),
  tenantry.drop_workspace(text, text)
from public;
