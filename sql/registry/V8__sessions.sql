-- Sessions that can be ended, passwords that can be reset, and a memory of those who guess.

alter table tenantry.tenants add column access_changed_at timestamptz;
comment on column tenantry.tenants.access_changed_at is
  'When access was last taken away, or a role changed. Tokens from before are checked against these tables.';

-- One row for each log-in. Its refresh token changes with every use; the part that stays the same (the family) tells an
-- old one from one that never was.
create table tenantry.sessions (
  id uuid primary key,
  account_id uuid not null references tenantry.accounts on delete cascade,
  tenant_id uuid references tenantry.tenants on delete cascade,
  family_hash bytea not null constraint sessions_family_hash_key unique,
  token_hash bytea not null,
  previous_hash bytea,
  created_at timestamptz not null default now(),
  rotated_at timestamptz not null default now(),
  expires_at timestamptz not null,
  address inet,
  user_agent text
);
create index sessions_account_id_idx on tenantry.sessions (account_id);
create index sessions_tenant_id_idx on tenantry.sessions (tenant_id);
create index sessions_expires_at_idx on tenantry.sessions (expires_at);
comment on column tenantry.sessions.tenant_id is 'Null for a session at the base domain.';
comment on column tenantry.sessions.family_hash is 'SHA-256, as all hashes here are: of random bits, which nobody guesses.';
comment on column tenantry.sessions.previous_hash is 'Of the refresh token before: two tabs may refresh in the same moment.';
comment on column tenantry.sessions.rotated_at is 'When the session was last refreshed, or began.';

-- Tokens that set a new password, once.
create table tenantry.password_resets (
  token_hash bytea primary key,
  account_id uuid not null references tenantry.accounts on delete cascade,
  tenant_id uuid references tenantry.tenants on delete cascade,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null
);
create index password_resets_account_id_idx on tenantry.password_resets (account_id);
create index password_resets_tenant_id_idx on tenantry.password_resets (tenant_id);
create index password_resets_expires_at_idx on tenantry.password_resets (expires_at);

-- Addresses of accounts whose passwords are being guessed; there need not be such an account.
create table tenantry.guesses (
  email_hash bytea primary key,
  failures integer not null,
  next_at timestamptz not null,
  last_at timestamptz not null default now()
);
create index guesses_last_at_idx on tenantry.guesses (last_at);
comment on column tenantry.guesses.next_at is 'Until then, another guess is refused without a look at the password.';

alter table tenantry.sessions enable row level security, force row level security;
alter table tenantry.password_resets enable row level security, force row level security;
alter table tenantry.guesses enable row level security, force row level security;
create policy owner on tenantry.sessions to current_user using (true);
create policy owner on tenantry.password_resets to current_user using (true);
create policy owner on tenantry.guesses to current_user using (true);
