-- Each lane of request connections logs in as a role of its own, which may become the lane's tenants only.
--
-- Up to Postgres 16, the first SET ROLE of a backend after any change of roles walks all memberships of its login
-- role, in quadratic time. A lane's login is a member of its part of the tenants, so that the walk stays short;
-- and a connection of one lane cannot become a tenant of another, whatever it is told.

create table tenantry.lanes (
  lane integer primary key check (lane >= 0),
  role_name text not null unique
);
comment on column tenantry.lanes.role_name is 'The login of the lane''s connections.';

alter table tenantry.lanes enable row level security, force row level security;
create policy owner on tenantry.lanes to current_user using (true);

-- The login of a lane; made when it is missing, also after a dump was restored in another cluster.
create function tenantry.lane_role(wanted_lane integer, verifier text) returns text
language plpgsql
set search_path = pg_catalog
as $$
declare
  known text := (select l.role_name from tenantry.lanes l where l.lane = wanted_lane);
begin
  if known is not null and exists (select from pg_roles where rolname = known) then
    return known;
  end if;
  known := tenantry.create_request_role(
    (select s.request_role from tenantry.settings s) || '_lane_' || wanted_lane, verifier);
  insert into tenantry.lanes values (wanted_lane, known)
    on conflict (lane) do update set role_name = excluded.role_name;
  return known;
end
$$;

-- Lets a lane's connections become a tenant: granted when the lane meets the tenant for the first time. Nothing is
-- touched when it did so before: every grant makes all backends look at their memberships again.
create function tenantry.admit_to_lane(lane_role text, tenant_role text) returns void
language plpgsql
set search_path = pg_catalog
as $$
begin
  if not exists (select from tenantry.lanes where role_name = lane_role)
    or not exists (select from tenantry.tenants where role_name = tenant_role)
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

revoke execute on function tenantry.lane_role(integer, text), tenantry.admit_to_lane(text, text) from public;
