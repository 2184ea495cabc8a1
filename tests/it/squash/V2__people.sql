-- What the app does to the service's own table.
alter table users add column nickname text not null default '';
alter table users add column mood mood;
alter table users add constraint nickname_is_short check (length(nickname) <= 20);
create index users_by_nickname on users (lower(nickname));
comment on column users.nickname is 'What friends say.';
create view people as select id, nickname, mood from users where removed_at is null;
comment on view people is '@primaryKey id';
create function keep_nickname() returns trigger language plpgsql as $$
begin
  new.nickname := trim(new.nickname);
  return new;
end
$$;
create trigger keep_nickname before insert or update on users for each row execute function keep_nickname();
alter table "odd ""name""" drop column gone;
alter table "odd ""name""" add column last text;
