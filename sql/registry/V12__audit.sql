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

-- The entry of a transaction that has written to a tenant's tables, which runs this as its last statement. Whose tables
-- they were is told by the role that it runs as: a function of the app may set anything else.
create function tenantry.record(
  action text, actor_kind text, actor_id text, actor_role text, ip text, user_agent text, request_id text,
  details text, kept text
) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  insert into tenantry.audit_log
    (tenant_id, kind, action, actor_kind, actor_id, actor_role, ip, user_agent, request_id, details, keys, outcome)
  select t.id, 'data', $1, $2, nullif($3, '')::uuid, nullif($4, ''), nullif($5, '')::inet, nullif($6, ''), nullif($7, ''),
    $8::jsonb,
    (select array_agg(case when octet_length(one.keys) <= 4000 then one.keys else tenantry.first_keys(one.keys) end)
     from (select current_setting('tenantry.kept_' || name, true) from unnest(string_to_array($9, ',')) name) one (keys)),
    'ok'
  from tenantry.tenants t where t.role_name = current_setting('role');
  if not found then
    raise 'no tenant has the role %', current_setting('role');
  end if;
end
$$;

-- Of very many or very long keys, their number and the beginning of the first hundred: '20000 {1,2,3,...}'.
create function tenantry.first_keys(kept text) returns text
language sql immutable
set search_path = pg_catalog, pg_temp
return cardinality(kept::text[]) || ' ' || array(
  select left(one.key, 100) from unnest((kept::text[])[1:100]) with ordinality one (key, n) order by one.n)::text;

revoke execute on function tenantry.first_keys(text) from public;
