-- Whoever leaves stays in the table, as what they wrote refers to them. Profiles are their people's own.
do $$
declare
  -- Tenants of before may call it otherwise, and have a table users of the app's.
  people regclass := (select conrelid from pg_constraint
    where conname = 'tenantry_users_pkey' and connamespace = current_schema()::regnamespace);
begin
  execute format('alter table %s add column removed_at timestamptz', people);
  execute format('comment on column %s.removed_at is %L', people,
    '@readonly When the person left, or was removed; null for those who are members.');
  execute format('create trigger tenantry_profiles before insert or update on %s
    for each row execute function tenantry.guard_profile()', people);
end
$$;
