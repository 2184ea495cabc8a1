-- Roles and schemas cannot be made with parameters; these functions quote the names in one place, next to the data.

-- Roles belong to the whole cluster: another database, or a tenant that was renamed, may have the name already.
create function tenantry.free_name(wanted text) returns text
language plpgsql stable
set search_path = pg_catalog
as $$
declare
  candidate text := left(wanted, 63);
  n integer := 1;
begin
  while exists (select from pg_roles where rolname = candidate)
    or exists (select from pg_namespace where nspname = candidate)
    or exists (select from tenantry.tenants where candidate in (schema_name, role_name))
  loop
    n := n + 1;
    candidate := left(wanted, 62 - length(n::text)) || '_' || n;
  end loop;
  return candidate;
end
$$;

-- Lets request connections become the tenant's role, and nothing more than that.
create function tenantry.admit_request_role(tenant_role text) returns void
language plpgsql
set search_path = pg_catalog
as $$
declare
  request_role text := (select s.request_role from tenantry.settings s);
begin
  if current_setting('server_version_num')::integer >= 160000 then
    execute format('grant %I to %I with inherit false, set true', tenant_role, request_role);
  else
    execute format('grant %I to %I', tenant_role, request_role);
  end if;
end
$$;

-- A role and a schema of the same owner as the registry; the default privileges cover what later migrations add.
create function tenantry.create_workspace(schema_name text, role_name text) returns void
language plpgsql
set search_path = pg_catalog
as $$
begin
  execute format('create role %I nologin noinherit', role_name);
  perform tenantry.admit_request_role(role_name);
  execute format('create schema %I', schema_name);
  execute format('grant usage on schema %I to %I', schema_name, role_name);
  execute format('alter default privileges in schema %I grant select, insert, update, delete on tables to %I',
    schema_name, role_name);
  execute format('alter default privileges in schema %I grant usage, select on sequences to %I',
    schema_name, role_name);
  execute format('alter default privileges in schema %I grant execute on functions to %I',
    schema_name, role_name);
end
$$;

-- A login that may do nothing by itself, under the wanted name or the next free one, should another database
-- be quicker. The settings are those that the decoding of rows relies on.
create function tenantry.create_request_role(wanted text, verifier text) returns text
language plpgsql
set search_path = pg_catalog
as $$
declare
  role_name text;
begin
  loop
    role_name := tenantry.free_name(wanted);
    begin
      execute format('create role %I login noinherit password %L', role_name, verifier);
      exit;
    exception when duplicate_object or unique_violation then
      null;
    end;
  end loop;
  execute format('grant connect on database %I to %I', current_database(), role_name);
  execute format('alter role %I set search_path to %L', role_name, '');
  execute format('alter role %I set timezone to %L', role_name, 'UTC');
  execute format('alter role %I set datestyle to %L', role_name, 'ISO');
  execute format('alter role %I set intervalstyle to %L', role_name, 'iso_8601');
  execute format('alter role %I set bytea_output to %L', role_name, 'hex');
  execute format('alter role %I set extra_float_digits to %L', role_name, '1');
  -- A statement whose client is gone ends, rather than run to its timeout for nobody.
  execute format('alter role %I set client_connection_check_interval to %L', role_name, '1s');
  return role_name;
end
$$;

revoke execute on function
  tenantry.free_name(text),
  tenantry.admit_request_role(text),
  tenantry.create_workspace(text, text),
  tenantry.create_request_role(text, text)
from public;
