-- Who may write to a tenant's table of people through its API: admins to all of it, others to their own profile.
-- The service itself writes without a role.
create function tenantry.guard_profile() returns trigger
language plpgsql
set search_path = pg_catalog
as $$
begin
  if tenantry.role() in ('member', 'viewer')
    and (tg_op = 'INSERT' or old.id is distinct from tenantry.user_id())
  then
    raise insufficient_privilege using message = 'only admins may change the profiles of others';
  end if;
  return new;
end
$$;
