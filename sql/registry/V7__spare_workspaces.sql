-- Workspaces that are made before anybody asks for them. A new schema has every backend plan all of its statements
-- anew, and a new role has it look at its memberships again; signing up changes neither where a workspace is ready.

create table tenantry.spare_workspaces (
  tenant_id uuid primary key,
  schema_name text not null unique,
  role_name text not null unique,
  base_version integer not null,
  app_version integer not null,
  migrations text not null,
  ready boolean not null default false,
  made_at timestamptz not null default now()
);
comment on table tenantry.spare_workspaces is 'Schemas and roles that nobody has yet.';
comment on column tenantry.spare_workspaces.tenant_id is 'The id of the tenant to be: its lanes follow from it.';
comment on column tenantry.spare_workspaces.migrations is 'A digest of all that the tables were or will be made of.';
comment on column tenantry.spare_workspaces.ready is 'The tables are there.';

alter table tenantry.spare_workspaces enable row level security, force row level security;
create policy owner on tenantry.spare_workspaces to current_user using (true);

-- Makes a schema and a role without tables.
create function tenantry.create_spare(tenant_id uuid, base_version integer, app_version integer, migrations text)
returns text
language plpgsql
set search_path = pg_catalog
as $$
declare
  name text := tenantry.free_name('tenant_' || right(tenant_id::text, 12));
begin
  perform tenantry.create_workspace(name, name);
  insert into tenantry.spare_workspaces values (tenant_id, name, name, base_version, app_version, migrations);
  return name;
end
$$;

-- Removes one that nobody will want any more.
create function tenantry.drop_spare(spare uuid) returns void
language plpgsql
set search_path = pg_catalog
as $$
declare
  doomed tenantry.spare_workspaces;
begin
  delete from tenantry.spare_workspaces where tenant_id = spare returning * into doomed;
  if found then
    perform tenantry.drop_workspace(doomed.schema_name, doomed.role_name);
  end if;
end
$$;

-- As before, for spare workspaces too.
create or replace function tenantry.run_for_tenant_role(statement text) returns void
language plpgsql
as $$
begin
  execute replace(statement, '"tenantry tenant role"', (
    select quote_ident(w.role_name)
    from (select schema_name, role_name from tenantry.tenants
          union all select schema_name, role_name from tenantry.spare_workspaces) as w
    where w.schema_name = current_schema()));
end
$$;

create or replace function tenantry.admit_to_lane(lane_role text, tenant_role text) returns void
language plpgsql
set search_path = pg_catalog
as $$
begin
  if not exists (select from tenantry.lanes where role_name = lane_role)
    or not exists (select from tenantry.tenants where role_name = tenant_role
                   union all select from tenantry.spare_workspaces where role_name = tenant_role)
  then
    raise 'no such lane or tenant';
  end if;
  if exists (select from pg_auth_members m
             join pg_roles l on l.oid = m.member and l.rolname = lane_role
             join pg_roles t on t.oid = m.roleid and t.rolname = tenant_role)
  then
    return;
  end if;
  if current_setting('server_version_num')::integer >= 160000 then
    execute format('grant %I to %I with inherit false, set true', tenant_role, lane_role);
  else
    execute format('grant %I to %I', tenant_role, lane_role);
  end if;
exception when unique_violation then
  null; -- somebody else was quicker
end
$$;

revoke execute on function tenantry.create_spare(uuid, integer, integer, text), tenantry.drop_spare(uuid) from public;
