-- Statements are made for the tables of one schema version. A migration may be quicker than the news of it: whoever has a
-- statement analysed asks, behind it and in the same transaction, whether the tables that it met were those.

create function tenantry.expect_version(expected text) returns void
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if not exists (
    select from tenantry.tenants t
    where t.role_name = current_setting('role')
      and concat_ws(' ', t.base_version, t.app_version, t.migrations) = expected)
  then
    raise 'the tenant''s tables are of another version';
  end if;
end
$$;
comment on function tenantry.expect_version(text) is 'Fails when the tenant whose role this runs as has another schema version.';
