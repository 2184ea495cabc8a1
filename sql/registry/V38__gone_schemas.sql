-- A tenant whose schema somebody has dropped can be deleted and purged, and made anew of an archive.

create or replace function tenantry.close_workspace(schema_name text, role_name text) returns void
language plpgsql
set search_path = pg_catalog
as $$
begin
  if to_regnamespace(quote_ident(schema_name)) is not null then
    execute format('revoke usage on schema %I from %I', schema_name, role_name);
  end if;
end
$$;
