-- An entry of the audit log is a plain insert, by the transaction that it is about and as the tenant's own role. A function
-- that ran as the owner took half as long again as a small mutation. And when somebody was last there, readers included.

-- Checks of the table's are read and planned anew for every row that is inserted. These words are written by the service
-- alone, which has them in enums.
alter table tenantry.audit_log
  drop constraint audit_log_kind_check,
  drop constraint audit_log_actor_kind_check,
  alter column kind set default 'data',
  alter column outcome set default 'ok',
  alter column details drop not null,
  add column trail text;
comment on column tenantry.audit_log.trail is 'The details of data, as the JSON that the service wrote: read when somebody looks.';

-- Functions of the app run within statements of the service's, and within none that inserts here: nothing of theirs is
-- called by it. So who may add an entry is told by the text of the statement that the service has sent. It is the same
-- whatever role, settings or statements a function of the app has chosen, and all values are the service's own.
create policy request on tenantry.audit_log for insert to public
  with check (starts_with(current_query(), 'insert into tenantry.audit_log '));
-- On the table: privileges on columns would be looked up one by one, for each entry.
grant insert on tenantry.audit_log to public;

-- The keys that a transaction has kept under this name.
create function tenantry.told_keys(setting text) returns text
language sql stable
return case when octet_length(current_setting(setting, true)) <= 4000 then current_setting(setting, true)
            else tenantry.first_keys(current_setting(setting, true)) end;
grant execute on function tenantry.first_keys(text) to public;

-- For replicas of before, until they have been replaced; the same rule holds.
create or replace function tenantry.record(
  action text, actor_kind text, actor_id text, actor_role text, ip text, user_agent text, request_id text,
  details text, kept text
) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if not starts_with(current_query(), 'select tenantry.record($') then
    raise insufficient_privilege using message = 'entries of the audit log are written by the service';
  end if;
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

-- Apart from the tenants themselves, whose every change goes to all replicas.
create table tenantry.activity (
  tenant_id uuid primary key references tenantry.tenants on delete cascade,
  last_at timestamptz not null
);
comment on column tenantry.activity.last_at is 'When somebody who belongs to the tenant last sent a request, to about a minute.';
insert into tenantry.activity (tenant_id, last_at)
  select t.id, l.at from tenantry.tenants t
  cross join lateral (select max(l.at) as at from tenantry.audit_log l
                      where l.tenant_id = t.id and l.actor_kind in ('user', 'api_key')) l
  where l.at is not null;

alter table tenantry.activity enable row level security, force row level security;
create policy owner on tenantry.activity to current_user using (true);
