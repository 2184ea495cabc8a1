-- Where operators have logged in from: there, strangers who guess at their passwords do not hold them up.

create table tenantry.operator_networks (
  operator_id uuid not null references tenantry.operators on delete cascade,
  network inet not null,
  last_at timestamptz not null default now(),
  primary key (operator_id, network)
);
comment on column tenantry.operator_networks.network is 'An address of the old kind; of the new kind, the first 64 bits.';

alter table tenantry.operator_networks enable row level security, force row level security;
create policy owner on tenantry.operator_networks to current_user using (true);
