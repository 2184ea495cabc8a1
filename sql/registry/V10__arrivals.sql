-- People whose log-in is elsewhere, how tenants let them in, and tenants' own domains.

-- Who somebody is to an issuer of tokens, and who to us.
create table tenantry.external_identities (
  issuer text not null,
  subject text not null,
  account_id uuid not null references tenantry.accounts on delete cascade,
  created_at timestamptz not null default now(),
  primary key (issuer, subject)
);
create index external_identities_account_id_idx on tenantry.external_identities (account_id);
comment on column tenantry.external_identities.subject is 'By what the issuer''s tokens tell its users apart: the claim sub, or the one that is configured.';

-- Anybody may sign up with anybody's address. Only who has proved to read its mail is taken for its owner.
alter table tenantry.accounts add column email_verified_at timestamptz;
comment on column tenantry.accounts.email_verified_at is 'When it turned out that the address is the person''s own: by a token mailed to it, or the word of a trusted issuer.';

alter table tenantry.tenants
  add column provisioning text not null default 'off' check (provisioning in ('off', 'invitation', 'domain', 'anyone')),
  add column provisioning_domains text[] not null default '{}',
  add column provisioning_role text not null default 'member' check (provisioning_role in ('admin', 'member', 'viewer'));
comment on column tenantry.tenants.provisioning is 'Who becomes a member by coming with an issuer''s token: nobody; who has been invited; who has a mail address in one of the domains; anyone whose token names the tenant.';
comment on column tenantry.tenants.provisioning_role is 'What they become, when neither the token nor the invitation says.';

-- Who has been removed, or has left, does not come back by a token alone.
create table tenantry.former_members (
  tenant_id uuid not null references tenantry.tenants on delete cascade,
  account_id uuid not null references tenantry.accounts on delete cascade,
  left_at timestamptz not null default now(),
  primary key (tenant_id, account_id)
);
create index former_members_account_id_idx on tenantry.former_members (account_id);

create function tenantry.member_left() returns trigger
language plpgsql
as $$
begin
  -- Nothing is kept of tenants and accounts that go away themselves.
  insert into tenantry.former_members (tenant_id, account_id)
  select t.id, a.id from tenantry.tenants t, tenantry.accounts a where t.id = old.tenant_id and a.id = old.account_id
  on conflict (tenant_id, account_id) do update set left_at = now();
  return null;
end
$$;
create trigger member_left after delete on tenantry.memberships
  for each row execute function tenantry.member_left();

-- Addresses of tenants outside of the base domain. Any number of tenants may claim one; one can prove that it is theirs.
create table tenantry.domains (
  tenant_id uuid not null references tenantry.tenants on delete cascade,
  domain text not null check (domain = lower(domain)),
  token text not null,
  created_at timestamptz not null default now(),
  verified_at timestamptz,
  primary key (tenant_id, domain)
);
create unique index domains_verified_key on tenantry.domains (domain) where verified_at is not null;
comment on column tenantry.domains.token is 'What the TXT record of _tenantry.<domain> has to hold.';

-- A tenant's row stands for its domains, too: whoever listens for the one hears of the others.
create function tenantry.domain_changed() returns trigger
language plpgsql
as $$
begin
  if old.verified_at is not null or new.verified_at is not null then
    update tenantry.tenants set updated_at = now() where id = coalesce(new.tenant_id, old.tenant_id);
  end if;
  return null;
end
$$;
create trigger domain_changed after insert or update or delete on tenantry.domains
  for each row execute function tenantry.domain_changed();

revoke execute on function tenantry.member_left(), tenantry.domain_changed() from public;

alter table tenantry.external_identities enable row level security, force row level security;
alter table tenantry.former_members enable row level security, force row level security;
alter table tenantry.domains enable row level security, force row level security;
create policy owner on tenantry.external_identities to current_user using (true);
create policy owner on tenantry.former_members to current_user using (true);
create policy owner on tenantry.domains to current_user using (true);
