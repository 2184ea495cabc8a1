-- What a shop has sold, and tables that nobody would make on purpose.

create type tier as enum ('basic', 'gold', 'platinum');
create domain loyalty as tier;

create table employees (
  id int generated always as identity primary key,
  name text not null,
  reports_to int references employees,
  on_duty boolean,
  shift interval,
  started date not null,
  wage money
);

create table customers (
  id int generated always as identity primary key,
  name varchar(40) not null,
  country text,
  loyalty loyalty,
  support_id int references employees,
  manager_id int references employees
);

create table invoices (
  id bigint generated always as identity primary key,
  customer_id int not null references customers,
  billing_country text,
  invoiced_at timestamptz not null,
  local_time timestamp not null,
  due date,
  total numeric(10, 2) not null,
  weight double precision,
  pieces smallint not null,
  doc json,
  tags text[] not null default '{}'
);
create index on invoices (customer_id);

create table genres (id int primary key, name text not null);
create table invoice_genres (
  invoice_id bigint references invoices,
  genre_id int references genres,
  primary key (invoice_id, genre_id)
);

create table parts (maker text, number int, price real not null, primary key (maker, number));
create table uses (
  id int generated always as identity primary key,
  maker text,
  number int,
  quantity int,
  foreign key (maker, number) references parts
);

-- Nothing here can be compared.
create table notes (doc json, place point);

create table "odd ""names""" (
  "key" int primary key,
  "count" int,
  "sum ""of"" it'" numeric,
  "where" text,
  "key 0" text,
  "a0" int references "odd ""names"""
);

create view yearly as
  select customer_id, extract(year from invoiced_at)::int as year, sum(total) as total from invoices group by 1, 2;

insert into employees (name, reports_to, on_duty, shift, started, wage)
select 'Employee ' || n, nullif(n / 2, 0), nullif(n % 3, 0) = 1, n * interval '90 minutes', date '2020-01-30' + n * 40, n * 10
from generate_series(1, 9) as n;

insert into customers (name, country, loyalty, support_id, manager_id)
select 'Customer ' || n, (array['Austria', 'Brazil', 'Cuba', null])[1 + n % 4],
  (array['basic', 'gold', 'platinum', null]::tier[])[1 + n % 4], 1 + n % 9, nullif(n % 5, 0)
from generate_series(1, 40) as n;

insert into invoices (customer_id, billing_country, invoiced_at, local_time, due, total, weight, pieces, tags)
select 1 + n * 7 % 37, (array['Austria', 'Brazil', 'Cuba', null])[1 + n % 4],
  timestamptz '2024-12-30 22:30Z' + n * interval '31 hours', timestamp '2024-12-30 22:30' + n * interval '31 hours',
  case when n % 6 > 0 then date '2025-01-01' + n end, n % 13 * 1.11, case when n % 7 > 0 then n * 0.1 end, n % 5,
  array['t' || n % 2]
from generate_series(1, 400) as n;

insert into genres values (1, 'Rock'), (2, 'Jazz'), (3, 'Polka');
insert into invoice_genres select n, 1 + n % 2 from generate_series(1, 400) as n where n % 3 > 0;

insert into parts values ('Acme', 1, 0.1), ('Acme', 2, 0.2), ('Bolt', 1, 0.75);
insert into uses (maker, number, quantity)
select (array['Acme', 'Bolt'])[1 + n % 2], 1, n from generate_series(1, 7) as n;
insert into uses (quantity) values (100);

insert into notes values ('{}', '(1,2)'), (null, null);
insert into "odd ""names""" values (1, 5, 0.5, 'here', 'x', null), (2, 5, null, 'there', 'y', 1), (3, null, 7, null, null, 1);
