-- How far the files that run without a transaction have come, tenant by tenant: a run that is cut short goes on there.

create table tenantry.unfinished_migrations (
  tenant_id uuid primary key references tenantry.tenants on delete cascade,
  version integer not null,
  checksum text not null,
  done integer not null,
  running boolean not null,
  begun_at timestamptz not null default clock_timestamp()
);
comment on table tenantry.unfinished_migrations is 'The file that runs in a tenant''s schema without a transaction, or did when its run was cut short.';
comment on column tenantry.unfinished_migrations.checksum is 'Of the file: what was done of another text says nothing about this one.';
comment on column tenantry.unfinished_migrations.done is 'How many of its statements are done.';
comment on column tenantry.unfinished_migrations.running is 'The next one has been begun, and nobody has seen it end.';
alter table tenantry.unfinished_migrations enable row level security, force row level security;
create policy owner on tenantry.unfinished_migrations to current_user using (true);

-- A transaction that tells others of something cannot be prepared, which is what migrating all tenants or none takes.
-- Such a run tells them itself, when all is committed.
create or replace function tenantry.tenant_changed() returns trigger
language plpgsql
as $$
begin
  if coalesce(current_setting('tenantry.quiet', true), '') = '' then
    perform pg_notify('tenantry_tenants', coalesce(new.id, old.id)::text);
  end if;
  return null;
end
$$;
