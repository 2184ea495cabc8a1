-- What a mutation costs Postgres on behalf of the audit log is, for the most part, what its insert has to look at: each
-- column of the table (also those that stay null), each index, and a statement of its own for the version of the tables.
-- So entries of tables that were written have a table with few columns, one index and no default that takes random
-- bytes, and the statement that adds one asks for the version, too. Those of before stay where they are.

create table tenantry.audit_changes (
  at timestamptz not null default clock_timestamp(),
  id uuid not null,
  tenant_id uuid not null,
  actor_id uuid,
  action text not null,
  entry text not null,
  keys text[]
);
-- Nothing else is looked for by index: what is about all tenants goes from one to the next.
create index audit_changes_tenant_id_idx on tenantry.audit_changes (tenant_id, at);
-- There is no key; whoever replicates the database by publications has to be told how old entries go.
alter table tenantry.audit_changes replica identity full;

comment on table tenantry.audit_changes is 'The audit log of what has been written to tenants'' tables. Only ever added to, but for entries that are too old.';
comment on column tenantry.audit_changes.action is 'What the client calls the operation; without a name, the fields it consists of.';
comment on column tenantry.audit_changes.entry is
  'JSON that the service wrote: {"actor", "role", "ip", "agent", "request", "details": {"document", "fields"}}.';
comment on column tenantry.audit_changes.keys is 'For each of the rows in the details, as many arrays as their key has columns.';

-- As for tenantry.audit_log: functions of the app run within other statements.
alter table tenantry.audit_changes enable row level security, force row level security;
create policy owner on tenantry.audit_changes to current_user using (true);
create policy request on tenantry.audit_changes for insert to public
  with check (starts_with(current_query(), 'insert into tenantry.audit_changes '));
grant insert on tenantry.audit_changes to public;

-- The statement of an entry takes the tenant's id from here: none where the tables are of another version, which a
-- constraint refuses then. A function that ran as the owner took twice as long. Nobody sees more than the tenant whose
-- role they have (a barrier: conditions of theirs are not asked before).
create view tenantry.present_tenant with (security_barrier) as
select t.id, concat_ws(' ', t.base_version, t.app_version, t.migrations) as version
from tenantry.tenants t
where t.role_name = current_setting('role');
comment on view tenantry.present_tenant is 'The tenant whose role this runs as, and the version of its tables.';
grant select on tenantry.present_tenant to public;
