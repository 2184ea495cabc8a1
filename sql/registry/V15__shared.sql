-- Tables that all tenants share: migrations make them in the schema "shared", where tenants may read.
--
-- Those with a tenant_id belong to the tenants row by row. They get row-level security without anyone having to write
-- it, in the transaction that makes them.

-- Readers are PUBLIC, which nobody else is in this database: grants for each tenant would make these catalog rows grow
-- with the fleet. Whatever changes pg_namespace has all backends plan anew, so that a schema that is there stays as it is.
create function tenantry.open_shared() returns void
language plpgsql
set search_path = pg_catalog
as $$
begin
  if to_regnamespace('shared') is null then
    create schema shared;
    grant usage on schema shared to public;
  end if;
end
$$;

-- Only what migrations make can be read: between them, nobody has looked whether it needs row-level security.
create function tenantry.share_new_tables(shared boolean) returns void
language plpgsql
set search_path = pg_catalog
as $$
begin
  if shared then
    alter default privileges in schema shared grant select on tables to public;
  else
    alter default privileges in schema shared revoke select on tables from public;
  end if;
end
$$;

-- One table or partition: within a request, nobody sees another tenant's rows, not even the owner, as whom views read.
-- The restrictive policy holds whatever policies are added. Outside of requests the owner sees all rows.
create function tenantry.protect_table(protected regclass, tenant_id_type regtype) returns void
language plpgsql
set search_path = pg_catalog
as $$
declare
  own text := case when tenant_id_type = 'uuid'::regtype then 'tenant_id = tenantry.tenant_id()'
                   else 'tenant_id = tenantry.tenant_id()::text' end;
  owner name := (select pg_get_userbyid(relowner) from pg_class where oid = protected);
begin
  execute format('alter table %s enable row level security, force row level security', protected);
  if not exists (select from pg_policy where polrelid = protected and polname = 'tenantry_bound') then
    execute format('create policy tenantry_bound on %s as restrictive
        using (tenant_id is null or %2$s or tenantry.tenant_id() is null and current_user = %3$L)
        with check (%2$s or tenantry.tenant_id() is null and current_user = %3$L)', protected, own, owner);
    execute format('create policy tenantry_tenant on %s using (%s)', protected, own);
    execute format('create policy tenantry_owner on %s to %I using (tenantry.tenant_id() is null)', protected, owner);
  end if;
end
$$;

-- What migrations have made, and partitions that came later.
create function tenantry.protect_shared() returns void
language plpgsql
set search_path = pg_catalog
as $$
declare
  found record;
begin
  for found in
    select c.oid::regclass as name, c.relkind, a.atttypid::regtype as type,
           c.relrowsecurity and c.relforcerowsecurity
             and exists (select from pg_policy p where p.polrelid = c.oid and p.polname = 'tenantry_bound') as done
    from pg_class c
    join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped
    where c.relnamespace = to_regnamespace('shared') and c.relkind in ('r', 'p', 'm', 'f')
    order by c.oid
  loop
    if found.relkind in ('m', 'f') then
      raise '% has a tenant_id, but % have no row-level security: make it a table, or leave the column out', found.name,
        case found.relkind when 'm' then 'materialized views' else 'foreign tables' end;
    elsif found.type not in ('uuid'::regtype, 'text'::regtype, 'varchar'::regtype) then
      raise '%.tenant_id must be a uuid, as the ids of tenants are, and not a %', found.name, found.type;
    end if;
    if not found.done then
      perform tenantry.protect_table(found.name, found.type);
    end if;
  end loop;
  perform tenantry.protect_views(null);
end
$$;

-- Views read as their owner, who may be a superuser, whom no policy binds. Those of a schema (of all, for null) that look at shared rows of
-- tenants, by way of other views too, read as whoever asks.
create function tenantry.protect_views(schema_name regnamespace) returns void
language plpgsql
set search_path = pg_catalog
as $$
declare
  found record;
begin
  for found in
    with recursive reader (oid) as (
      select p.polrelid from pg_policy p where p.polname = 'tenantry_bound'
      union
      select r.ev_class
      from reader
      join pg_depend d on d.refclassid = 'pg_class'::regclass and d.refobjid = reader.oid
                      and d.classid = 'pg_rewrite'::regclass
      join pg_rewrite r on r.oid = d.objid
    )
    select c.oid::regclass as name, c.relkind
    from reader
    join pg_class c on c.oid = reader.oid
    where c.relnamespace = coalesce(schema_name, c.relnamespace)
      and (c.relkind = 'm'
           or c.relkind = 'v' and not coalesce(c.reloptions, '{}') && '{security_invoker=true,security_invoker=on}')
  loop
    if found.relkind = 'm' then
      raise 'the materialized view % would hold rows of all tenants: make it a view', found.name;
    end if;
    execute format('alter view %s set (security_invoker = true)', found.name);
  end loop;
end
$$;

-- The shared rows of a tenant that is no more.
create function tenantry.forget_shared_rows(tenant uuid) returns void
language plpgsql
set search_path = pg_catalog
as $$
declare
  found record;
begin
  for found in
    select c.oid::regclass as name
    from pg_policy p join pg_class c on c.oid = p.polrelid and not c.relispartition
    where p.polname = 'tenantry_bound'
    order by c.oid desc -- those that refer to others come later
  loop
    execute format('delete from %s where tenant_id::text = $1::text', found.name) using tenant;
  end loop;
end
$$;

-- In the schema that all tenants share, the tenant's role is that of any tenant.
create or replace function tenantry.run_for_tenant_role(statement text) returns void
language plpgsql
as $$
begin
  execute replace(statement, '"tenantry tenant role"', case when current_schema() = 'shared' then 'public' else (
    select quote_ident(w.role_name)
    from (select schema_name, role_name from tenantry.tenants
          union all select schema_name, role_name from tenantry.spare_workspaces) as w
    where w.schema_name = current_schema()) end);
end
$$;

revoke execute on function tenantry.open_shared(), tenantry.share_new_tables(boolean),
  tenantry.protect_table(regclass, regtype), tenantry.protect_shared(), tenantry.protect_views(regnamespace),
  tenantry.forget_shared_rows(uuid) from public;
