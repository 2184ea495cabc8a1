-- What a tenant's role may do is for the app's migrations to say, too.

-- Functions are PUBLIC's from the start, and nobody else has USAGE on a tenant's schema. With a grant of its own on
-- top, `revoke execute on function f from public` would say no to nobody.
create or replace function tenantry.create_workspace(schema_name text, role_name text) returns void
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
end
$$;

do $$
declare
  tenant tenantry.tenants;
begin
  for tenant in select * from tenantry.tenants where to_regnamespace(quote_ident(schema_name)) is not null loop
    execute format('alter default privileges in schema %I revoke execute on functions from %I',
      tenant.schema_name, tenant.role_name);
    execute format('revoke execute on all functions in schema %I from %I', tenant.schema_name, tenant.role_name);
  end loop;
end
$$;

-- Migrations are the same for all tenants, whose roles are not: they call the role "tenant". Such a statement is run by
-- this function, with the role of the tenant whose schema comes first in the search_path.
create function tenantry.run_for_tenant_role(statement text) returns void
language plpgsql
as $$
begin
  execute replace(statement, '"tenantry tenant role"',
    (select quote_ident(t.role_name) from tenantry.tenants t where t.schema_name = current_schema()));
end
$$;
revoke execute on function tenantry.run_for_tenant_role(text) from public;
