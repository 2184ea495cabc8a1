-- New addresses of accounts, which count once a token that was sent there has come back.
create table tenantry.email_changes (
  token_hash bytea primary key,
  account_id uuid not null references tenantry.accounts on delete cascade,
  email text not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null
);
create index email_changes_account_id_idx on tenantry.email_changes (account_id);
create index email_changes_email_idx on tenantry.email_changes (lower(email));
create index email_changes_expires_at_idx on tenantry.email_changes (expires_at);
comment on table tenantry.email_changes is 'There may be another account with the address: then no token was sent.';

alter table tenantry.email_changes enable row level security, force row level security;
create policy owner on tenantry.email_changes to current_user using (true);
