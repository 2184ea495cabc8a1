-- One table for each family of types, with rows among which every operator tells some from others.

create extension if not exists citext with schema public;
create extension if not exists hstore;
create extension if not exists ltree;
create extension if not exists pg_trgm;
create extension if not exists cube;

create collation folded (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
create type mood as enum ('sad', 'ok', 'happy');
create domain percent as int check (value between 0 and 100);
create domain tags as text[];
create domain feeling as mood;
create domain place as point;
create domain period as daterange;
create type pair as (a int, b text);
create type price_range as range (subtype = numeric);

create table texts (
  id int primary key,
  title text,
  code varchar(10),
  padded char(5),
  internal name,
  letter "char",
  email citext,
  folded text collate folded,
  search tsvector generated always as (to_tsvector('english', coalesce(title, ''))) stored
);
create index on texts using gin (title public.gin_trgm_ops);
create index on texts using gin (search);
create index on texts (email);

insert into texts (id, title, code, padded, internal, letter, email, folded) values
  (1, 'The quick brown foxes', 'A1', 'ab', 'quick', 'q', 'Ada@Example.com', 'Straße'),
  (2, 'A lazy dog jumped', 'a1', 'AB', 'lazy', 'Q', 'bob@example.com', 'STRASSE'),
  (3, '100% quik \ fox_y', 'b2', 'abc', 'Quick', 'z', 'BOB@example.com', 'strasse'),
  (4, '', '', '', '', 'a', '', ''),
  (5, null, null, null, null, null, null, null);

create table numbers (
  id int primary key,
  small int2, large int8, real float4, double float8, exact numeric, amount money, share percent, yes bool
);
insert into numbers values
  (1, 1, 1, 1.5, 1.5, 1.5, 12.5, 10, true),
  (2, -2, 9223372036854775807, 'NaN', 'Infinity', 'NaN', -1, 100, false),
  (3, 3, -9223372036854775808, '-Infinity', 'NaN', 'Infinity', 0, 0, true),
  (4, null, null, null, null, null, null, null, null);

create table documents (id int primary key, data jsonb, plain json, attributes hstore, markup xml, route jsonpath);
create index on documents using gin (data);
create index on documents using gin (attributes);
insert into documents values
  (1, '{"a": {"b": 5, "c": "five"}, "tags": ["x", "y"]}', '{"a": {"b": 5}}', 'a=>1, b=>2', '<a>1</a>', '$.a'),
  (2, '{"a": {"b": "5"}, "z": null}', '{"a": {"b": "5"}, "z": null}', 'a=>NULL, "q \"\\"=>"x, y"', '<b/>', '$'),
  (3, '["a", "x"]', '["a", "x"]', '', null, null),
  (4, '"a"', '"a"', 'c=>3', null, null),
  (5, 'null', 'null', 'b=>2', null, null),
  (6, null, null, null, null, null);

create table lists (
  id int primary key,
  words text[], counts int[], matrix int[][], moods mood[], percents percent[], labels tags,
  moments timestamptz[], emails citext[], bags hstore[], pairs pair[], days daterange[], mood mood, feeling feeling, pair pair
);
create index on lists using gin (words);
insert into lists values
  (1, '{red,green}', '{1,2,3}', '{{1,2},{3,4}}', '{sad,ok}', '{1,2}', '{a,b}', '{2026-01-01 00:00Z}', '{A@b.c}',
   array['a=>1'::hstore], array[row(1, 'x')::pair], '{"[2026-01-01,2026-01-05)"}', 'sad', 'ok', row(1, 'x')),
  (2, '{red}', '{3}', '{{3,4}}', '{happy}', '{100}', '{b}', '{infinity}', '{d@e.f}', array['b=>2'::hstore], '{}',
   '{}', 'ok', 'happy', row(null, 'a,"b\')),
  (3, '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', 'happy', 'sad', row(2, null)),
  (4, '{NULL,"x, y","q\"\\"}', '{NULL,-1}', '{5,6}', '{NULL}', '{NULL}', '{NULL}', '{NULL}', '{NULL}', '{NULL}', '{NULL}',
   '{NULL}', null, null, null),
  (5, null, null, null, null, null, null, null, null, null, null, null, null, null, null);

create table spans (
  id int primary key,
  days daterange, counts int4range, moments tstzrange, prices price_range, several int4multirange, period period
);
create index on spans using gist (days);
insert into spans values
  (1, '[2026-01-01,2026-02-01)', '[1,10)', '[2026-01-01 00:00Z,2026-01-02 00:00Z]', '[1.5,2.5]', '{[1,3),[5,9)}', '[2026-01-01,2026-02-01)'),
  (2, '[2026-02-01,2026-03-01)', '[10,20)', '(,2026-01-01 00:00Z)', '(2.5,)', '{[3,5)}', '[2026-02-01,2026-03-01)'),
  (3, '[2025-06-01,)', '[5,12)', '[infinity,infinity]', 'empty', '{}', '(,)'),
  (4, 'empty', 'empty', 'empty', 'empty', '{}', 'empty'),
  (5, null, null, null, null, null, null);

create table shapes (
  id int primary key,
  at point, edge lseg, ray line, frame box, way path, area polygon, disc circle, corner cube, place place
);
create index on shapes using gist (at);
create index on shapes using gist (frame);
insert into shapes values
  (1, '(0,0)', '[(0,0),(1,1)]', '{1,-1,0}', '(1,1),(0,0)', '[(0,0),(1,1)]', '((0,0),(1,0),(1,1))', '<(0,0),1>', '(0,0)', '(0,0)'),
  (2, '(3,4)', '[(5,5),(9,5)]', '{0,1,-5}', '(9,9),(5,5)', '((5,5),(9,5),(7,9))', '((5,5),(9,5),(7,9))', '<(7,7),2>', '(3,4)', '(3,4)'),
  (3, '(0.5,0.5)', '[(0,1),(1,0)]', '{1,1,-1}', '(2,2),(0.5,0.5)', '[(0,0)]', '((0,0),(2,0),(2,2),(0,2))', '<(0,0),5>', '(1,1)', '(0.5,0.5)'),
  (4, null, null, null, null, null, null, null, null, null);

create table machines (
  id int primary key,
  address inet, net cidr, mac macaddr, mac8 macaddr8, flags bit(4), mask varbit, position pg_lsn, object oid, class regclass,
  path ltree, taken timetz, lasting interval, moment timestamptz, local timestamp, day date, clock time, token uuid, raw bytea
);
create index on machines using gist (address inet_ops);
create index on machines using gist (path);
insert into machines values
  (1, '10.1.2.3', '10.0.0.0/8', '08:00:2b:01:02:03', '08:00:2b:01:02:03:04:05', '1010', '101', '0/1', 1, 'pg_class', 'top.science.astronomy',
   '07:00+02', '1 day 2 hours', '2026-01-01 12:00Z', '2026-01-01 12:00', '2026-01-01', '12:00', '00000000-0000-0000-0000-000000000001', '\x00ff'),
  (2, '10.1.0.0/16', '10.1.0.0/16', '08:00:2b:01:02:04', '08:00:2b:01:02:03:04:06', '0000', '', 'FF/FF', 4294967295, 'pg_type', 'top.hobbies',
   '05:00Z', '-1 mon', 'infinity', '-infinity', 'infinity', '24:00', '00000000-0000-0000-0000-000000000002', ''),
  (3, '::1', '2001:db8::/32', 'ff:ff:ff:ff:ff:ff', 'ff:ff:ff:ff:ff:ff:ff:ff', '1111', '11111', '0/A', 0, '0', '',
   '05:00-01', '0', '0044-03-15 12:00Z BC', '10000-01-01', '0044-03-15 BC', '00:00:00.000001', 'ffffffff-ffff-ffff-ffff-ffffffffffff', '\x61'),
  (4, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null);

create text search configuration plain (copy = simple);
create table notes (
  id int primary key,
  body text,
  brief varchar(99),
  words tsvector,
  weighted tsvector generated always as (setweight(to_tsvector('simple', coalesce(brief, '')), 'A')) stored,
  own tsvector generated always as (to_tsvector('plain', coalesce(body, ''))) stored
);
create index on notes using gin (to_tsvector('german', body));
create index on notes using gin (to_tsvector('simple', brief));
create index on notes using gin (words);
create trigger notes_words before insert or update on notes
  for each row execute function tsvector_update_trigger(words, 'pg_catalog.german', body);
insert into notes values
  (1, 'Die Häuser am Fluss', 'the houses'),
  (2, 'Ein Haus', 'a house'),
  (3, null, null);
