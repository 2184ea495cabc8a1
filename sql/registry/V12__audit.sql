-- The audit log: who has changed what, when and from where. An entry is written by the transaction that it is about.

create table tenantry.audit_log (
  at timestamptz not null default clock_timestamp(),
  id uuid not null default gen_random_uuid(),
  tenant_id uuid,
  kind text not null check (kind in ('data', 'access', 'tenant')),
  action text not null,
  actor_kind text not null check (actor_kind in ('anonymous', 'user', 'api_key', 'support', 'operator', 'command_line', 'service')),
  actor_id uuid,
  actor_name text,
  actor_role text,
  ip inet,
  user_agent text,
  request_id text,
  details jsonb not null,
  keys text[],
  outcome text not null,
  primary key (at, id)
);
-- No foreign key: its check would lock the tenant's row for every entry, and what happened to a tenant outlives it.
create index audit_log_tenant_id_idx on tenantry.audit_log (tenant_id, at, id);
comment on table tenantry.audit_log is 'Only ever added to, but for entries that are too old.';
comment on column tenantry.audit_log.tenant_id is 'Null for what is about no tenant.';
comment on column tenantry.audit_log.kind is 'data: rows of tables; access: who may get in, and as what; tenant: the tenant itself.';
comment on column tenantry.audit_log.action is 'What was asked for: the name of an operation, of a field, of a command.';
comment on column tenantry.audit_log.actor_id is 'Of the account, the API key or the operator.';
comment on column tenantry.audit_log.details is 'What it was about. Of data: [{"field": "createIssue", "rows": [{"table": "issues", "action": "insert", "columns": 1}]}].';
comment on column tenantry.audit_log.keys is 'Of data: for each of those rows, as many arrays as their key has columns.';
comment on column tenantry.audit_log.outcome is 'ok, or the code of the error.';

alter table tenantry.audit_log enable row level security, force row level security;
create policy owner on tenantry.audit_log to current_user using (true);
