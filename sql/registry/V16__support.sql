-- Operators' sessions, their visits at tenants, and the copying of tenants.

alter table tenantry.operators drop column token_key;

create table tenantry.operator_sessions (
  token_hash bytea primary key,
  operator_id uuid not null references tenantry.operators on delete cascade,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null
);
create index operator_sessions_operator_id_idx on tenantry.operator_sessions (operator_id);
comment on column tenantry.operator_sessions.token_hash is 'SHA-256 of the token.';

create table tenantry.support_accesses (
  id uuid primary key,
  tenant_id uuid not null references tenantry.tenants on delete cascade,
  operator_id uuid references tenantry.operators on delete set null,
  operator_name text not null,
  role text not null check (role in ('owner', 'admin', 'member', 'viewer')),
  reason text not null,
  token_hash bytea not null unique,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  ended_at timestamptz,
  ended_by text,
  last_used_at timestamptz
);
create index support_accesses_tenant_id_idx on tenantry.support_accesses (tenant_id, created_at);
comment on table tenantry.support_accesses is 'Operators who were let into a tenant, for its owner to see.';
comment on column tenantry.support_accesses.operator_id is 'Null for whoever made the access at the command line.';

alter table tenantry.operator_sessions enable row level security, force row level security;
alter table tenantry.support_accesses enable row level security, force row level security;
create policy owner on tenantry.operator_sessions to current_user using (true);
create policy owner on tenantry.support_accesses to current_user using (true);

-- Makes a schema ready for rows from elsewhere: no trigger fires, foreign keys wait for the last row, and nothing is
-- there that migrations have put in. Returns the statements that put everything back as it was.
--
-- Keys are dropped rather than deferred: cycles and order do not matter then, what is NOT VALID stays so, and one join
-- checks all rows. Those that lead out of the schema stay, as to drop one takes a lock on a table of everybody's.
create function tenantry.begin_load(schema_name text, histories text[]) returns text[]
language plpgsql
set search_path = pg_catalog
as $$
declare
  namespace oid := to_regnamespace(quote_ident(schema_name));
  put_back text[] := '{}';
  one record;
begin
  for one in
    select c.conname, c.conrelid::regclass::text as relation, pg_get_constraintdef(c.oid) as definition,
      obj_description(c.oid, 'pg_constraint') as comment
    from pg_constraint c
    where c.connamespace = namespace and c.conparentid = 0 and c.coninhcount = 0 and c.conrelid <> 0
      and (c.contype = 'f' and (select relnamespace from pg_class where oid = c.confrelid) = namespace
        or c.contype = 'c' and not c.convalidated)
    order by c.oid
  loop
    execute format('alter table %s drop constraint %I', one.relation, one.conname);
    put_back := put_back || format('alter table %s add constraint %I %s', one.relation, one.conname, one.definition);
    if one.comment is not null then
      put_back := put_back || format('comment on constraint %I on %s is %L', one.conname, one.relation, one.comment);
    end if;
  end loop;
  for one in
    select t.tgname, t.tgrelid::regclass::text as relation, t.tgenabled
    from pg_trigger t join pg_class c on c.oid = t.tgrelid
    where c.relnamespace = namespace and not t.tgisinternal and t.tgenabled <> 'D' and c.relkind in ('r', 'p')
    order by t.oid
  loop
    execute format('alter table only %s disable trigger %I', one.relation, one.tgname);
    put_back := put_back || format('alter table only %s enable %s trigger %I', one.relation,
      case one.tgenabled when 'R' then 'replica' when 'A' then 'always' else '' end, one.tgname);
  end loop;
  for one in
    select c.oid::regclass::text as relation from pg_class c
    where c.relnamespace = namespace and c.relkind in ('r', 'p') and c.relforcerowsecurity order by c.oid
  loop
    execute format('alter table only %s no force row level security', one.relation);
    put_back := put_back || format('alter table only %s force row level security', one.relation);
  end loop;
  select string_agg(c.oid::regclass::text, ', ') as relations into one from pg_class c
    where c.relnamespace = namespace and c.relkind in ('r', 'p') and c.relname <> all (histories);
  if one.relations is not null then
    execute 'truncate ' || one.relations;
  end if;
  return put_back;
end
$$;

-- Puts back what begin_load took away, and makes what is computed from rows. Keys are checked by joins, which are
-- planned well once the tables have been looked at; views are filled in the order in which they were made.
create function tenantry.end_load(schema_name text, put_back text[], filled text[]) returns void
language plpgsql
set search_path = pg_catalog
as $$
declare
  namespace oid := to_regnamespace(quote_ident(schema_name));
  statement text;
begin
  for statement in
    select format('analyze %s', c.oid::regclass) from pg_class c
    where c.relnamespace = namespace and c.relkind = 'r' order by c.oid
  loop
    execute statement;
  end loop;
  foreach statement in array put_back loop
    execute statement;
  end loop;
  perform set_config('search_path', format('%I, extensions', schema_name), true);
  for statement in
    select format('refresh materialized view %I.%I', schema_name, c.relname) from pg_class c
    where c.relnamespace = namespace and c.relkind = 'm' and c.relname = any (filled) order by c.oid
  loop
    execute statement;
  end loop;
end
$$;

revoke execute on function
  tenantry.begin_load(text, text[]),
  tenantry.end_load(text, text[], text[])
from public;
