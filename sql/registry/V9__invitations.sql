-- People who have been asked to join a tenant, and have not answered yet.

create table tenantry.invitations (
  id uuid primary key,
  tenant_id uuid not null references tenantry.tenants on delete cascade,
  email text not null,
  role text not null check (role in ('owner', 'admin', 'member', 'viewer')),
  token_hash bytea not null constraint invitations_token_hash_key unique,
  invited_by uuid references tenantry.accounts on delete set null,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null
);
-- Inviting somebody again replaces the token.
create unique index invitations_email_key on tenantry.invitations (tenant_id, lower(email));
create index invitations_invited_by_idx on tenantry.invitations (invited_by);
comment on column tenantry.invitations.token_hash is 'SHA-256 of random bits, which nobody guesses.';

alter table tenantry.invitations enable row level security, force row level security;
create policy owner on tenantry.invitations to current_user using (true);
