create type mood as enum ('sad', 'very happy');
create domain positive as int check (value > 0);
create type pair as (a int, "B x" text, mood mood);
-- The column t0 is called like an alias of the statements.
create table "Cust""omers" (id int primary key, name text not null, t0 int default 7, boss int references "Cust""omers", mood mood);
create table orders (id bigint primary key, customer_id int not null references "Cust""omers", total numeric not null);
insert into "Cust""omers" values (1, 'Ada', 7, null, 'sad'), (2, 'Bob', 7, 1, 'very happy'), (3, 'Cy', 7, 1, null);
insert into orders values (1, 1, 10), (2, 1, 5), (3, 2, 99);

create function one() returns int language sql immutable return 1;
comment on function one is '@name uno Always the same.';
create function sum_up(a int, b int default 10, c int default 100) returns int language sql immutable return a + b + c;
create function unnamed(int, int default 5) returns int language sql immutable return $1 * 100 + coalesce($2, -1);
create function mixed(int, b int default 5, int default 6) returns text language sql immutable return $1 || '-' || b || '-' || $3;
create function joined(label text, variadic parts text[]) returns text language sql immutable
  return label || array_to_string(parts, '|', 'NULL');
create function flip(mood mood) returns mood language sql immutable
  return case mood when 'sad' then 'very happy'::mood else 'sad' end;
create function moods() returns setof mood language sql immutable as $$ select unnest(array['very happy', null, 'sad']::mood[]) $$;
create function check_positive(number positive) returns positive language sql immutable return number;
create function echo(moods mood[], document jsonb default '{"a": 1}') returns mood[] language sql immutable return moods;
create function series(first int, n int default 3) returns setof int language sql immutable as 'select generate_series(first, first + n - 1)';
create function best_customer() returns "Cust""omers" language sql stable as $$ select * from "Cust""omers" order by id limit 1 $$;
create function no_customer() returns "Cust""omers" language sql stable as $$ select * from "Cust""omers" where false $$;
create function ranked() returns setof "Cust""omers" language sql stable as $$ select * from "Cust""omers" order by name desc $$;
create function stats(out n int, out mood mood) language sql stable as $$ select 3, 'sad'::mood $$;
create function both_ways(inout x int, out twice int) language sql immutable as 'select x, x * 2';
create function top(n int) returns table (customer text, "Tot al" numeric, orders bigint) language sql stable as
  $$ select c.name, sum(o.total), count(*) from "Cust""omers" c join orders o on o.customer_id = c.id group by 1 order by 2 desc limit n $$;
create function pairs() returns setof pair language sql stable as $$ values (1, 'b', 'sad'::mood), (2, null, null) $$;
create function over(id int) returns int language sql stable return 1;
create function over(name text) returns int language sql stable return 2;

create function "Cust""omers_shout"(c "Cust""omers") returns text language sql stable return upper(c.name);
create function total(c "Cust""omers") returns numeric language sql stable
  as 'select coalesce(sum(total), 0) from orders where customer_id = c.id';
create function scaled(c "Cust""omers", by numeric default 2) returns numeric language sql stable return c.id * by;
create function the_boss(c "Cust""omers") returns "Cust""omers" language sql stable as 'select * from "Cust""omers" b where b.id = c.boss';
create function big_orders(c "Cust""omers", min numeric default 0) returns setof orders language sql stable
  as 'select * from orders o where o.customer_id = c.id and o.total >= min order by o.total';
create function letters(c "Cust""omers") returns setof text language sql stable as $$ select unnest(string_to_array(c.name, null)) $$;
create function summary(c "Cust""omers", out n int, out biggest numeric) language sql stable
  as 'select count(*)::int, max(total) from orders where customer_id = c.id';

create function add_order(customer int, price numeric) returns orders language sql volatile
  begin atomic insert into orders values ((select max(id) + 1 from orders), customer, price) returning *; end;
create function raise_prices(customer int, by numeric default 1) returns setof orders language sql volatile
  begin atomic update orders set total = total + by where customer_id = customer returning *; end;
create function count_orders() returns bigint language sql volatile as 'select count(*) from orders';
create function forget_orders(customer int) returns void language sql volatile as 'delete from orders where customer_id = customer';
create function refuse_order(price numeric) returns orders language plpgsql volatile as
  $$ begin if price < 0 then raise exception 'prices are positive'; end if; return null; end $$;

create function fail(why text) returns int language plpgsql stable as
  $$ begin raise exception 'no: %', why using hint = 'try another', detail = 'because'; end $$;
create function fail_by_code() returns int language plpgsql stable as
  $$ begin raise exception 'in its own way' using errcode = 'MYERR'; end $$;
create function fail_as_forbidden() returns int language plpgsql stable as
  $$ begin raise exception 'only for owners' using errcode = 'insufficient_privilege'; end $$;
create function fail_by_mistake() returns int language plpgsql stable as $$ begin return (select 1 from nowhere); end $$;

-- None of these is for clients.
create function left_out_by_comment() returns int language sql stable return 1;
comment on function left_out_by_comment is '@omit';
create function left_out_trigger() returns trigger language plpgsql as $$ begin return new; end $$;
create function left_out_polymorphic(a anyelement) returns anyelement language sql immutable as 'select a';
create function left_out_composite(a int, p pair) returns int language sql stable return 1;
create procedure left_out_procedure() language sql as 'select 1';
create aggregate left_out_aggregate(int) (sfunc = int4pl, stype = int);
