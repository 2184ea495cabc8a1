create extension if not exists pg_trgm;
create type mood as enum ('sad', 'ok');
create domain percent as int default 1 check (value between 0 and 100);
create type size as (width int, label text);
create sequence lonely increment by 5;
create table "odd ""name""" (
  id bigint generated always as identity primary key,
  "Author" uuid references users on delete set null,
  owner uuid default tenantry.user_id(),
  mood mood not null default 'ok',
  share percent,
  size size,
  note text not null default '' collate "C",
  length int generated always as (length(note)) stored,
  gone int
);
comment on table "odd ""name""" is E'@name OddName @write admin\nIt''s odd: \\ and $body$.';
comment on column "odd ""name""".note is '@read member What is noted.';
insert into "odd ""name""" (note, share, size) values (E'one\ttab', 7, (1, 'a "b"')), ('it''s public.two', null, null);
create table totals (id int primary key default nextval('lonely'), total numeric(10, 2));
insert into totals (total) values (1.50), (-0.01);
create function doubled(n int) returns int language sql immutable as 'select 2 * n';
