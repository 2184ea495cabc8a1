-- What is known of the fleet's migrations: what each tenant has run, what any of them has, who failed, who is at work.

alter table tenantry.tenants add column migrations bigint not null default 0;
comment on column tenantry.tenants.migrations is 'A digest of all files that have run in its schema. 0 where nobody knows, which counts as behind.';

create table tenantry.migrations (
  set text not null check (set in ('base', 'app')),
  version integer not null,
  name text not null,
  checksum text not null,
  first_applied_at timestamptz not null default now(),
  primary key (set, version)
);
comment on table tenantry.migrations is 'Every file that has run in the schema of any tenant, written by the transaction of the first one.';
comment on column tenantry.migrations.set is 'base: the service''s own tables; app: those of the app.';

create table tenantry.migration_failures (
  tenant_id uuid primary key references tenantry.tenants on delete cascade,
  set text check (set in ('base', 'app')),
  version integer,
  file text,
  line integer,
  excerpt text,
  sql_state text,
  message text not null,
  rehearsal boolean not null,
  failed_at timestamptz not null default now()
);
comment on table tenantry.migration_failures is 'Why tenants are behind. A row goes when its tenant has been migrated.';
comment on column tenantry.migration_failures.file is 'Null for what goes wrong outside of a file: with a lock, a deferred constraint, the connection.';
comment on column tenantry.migration_failures.message is 'Without Postgres'' details, which quote rows.';
comment on column tenantry.migration_failures.rehearsal is 'It was tried and undone: nothing had changed anywhere.';

create table tenantry.migration_runs (
  id uuid primary key default gen_random_uuid(),
  state text not null default 'running' check (state in ('running', 'committing', 'done', 'failed', 'killed')),
  operator text not null,
  host text not null,
  pid integer not null,
  application_name text not null default current_setting('application_name'),
  base_version integer not null,
  app_version integer not null,
  migrations bigint not null,
  behind integer not null,
  migrated integer,
  failed integer,
  started_at timestamptz not null default clock_timestamp(),
  finished_at timestamptz
);
create index migration_runs_started_at_idx on tenantry.migration_runs (started_at);
comment on table tenantry.migration_runs is 'Who migrates the fleet, and who did. Whoever is at work holds a lock besides, which goes with the process.';
comment on column tenantry.migration_runs.state is 'committing: all tenants at once, which has been decided and is not finished.';
comment on column tenantry.migration_runs.operator is 'The name of the system''s user.';
comment on column tenantry.migration_runs.behind is 'How many tenants there were to migrate.';

alter table tenantry.migrations enable row level security, force row level security;
alter table tenantry.migration_failures enable row level security, force row level security;
alter table tenantry.migration_runs enable row level security, force row level security;
create policy owner on tenantry.migrations to current_user using (true);
create policy owner on tenantry.migration_failures to current_user using (true);
create policy owner on tenantry.migration_runs to current_user using (true);
