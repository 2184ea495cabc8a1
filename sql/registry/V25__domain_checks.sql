-- Whether the proofs of tenants' own domains are still there, looked at every day.
alter table tenantry.domains
  add column checked_at timestamptz,
  add column lost_at timestamptz;
comment on column tenantry.domains.checked_at is 'When the proof was last looked for, after the domain was verified.';
comment on column tenantry.domains.lost_at is 'Since when it has not been found.';
comment on column tenantry.domains.token is 'What the TXT record of _tenantry.<domain> has to hold, or a page of the domain.';
create index domains_due_idx on tenantry.domains (coalesce(checked_at, verified_at)) where verified_at is not null;

-- Replicas hear of domains that come and go, not of each look at them.
drop trigger domain_changed on tenantry.domains;
create trigger domain_changed after insert or delete or update of domain, verified_at on tenantry.domains
  for each row execute function tenantry.domain_changed();
