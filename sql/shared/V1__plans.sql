-- What customers can choose from: the same for all of them.

create table plans (
  id text primary key check (id ~ '^[a-z]+$'),
  name text not null,
  seats int check (seats > 0),
  price_per_seat numeric(8, 2) not null check (price_per_seat >= 0)
);

comment on table plans is '@public What a workspace can be on.';
comment on column plans.id is 'The short name of the plan, such as team.';
comment on column plans.name is 'What the plan is called.';
comment on column plans.seats is 'How many people may work there; null when that does not matter.';
comment on column plans.price_per_seat is 'What it costs for each of them, every month.';

insert into plans values
  ('free', 'Free', 5, 0),
  ('team', 'Team', 100, 8),
  ('company', 'Company', null, 14.50);
