alter table "odd ""name""" enable row level security;
create policy own on "odd ""name""" for select to tenant using (owner is null or owner = tenantry.user_id());
create policy all_of_it on "odd ""name""" as permissive for all using (true) with check (id > 0);
revoke insert, delete on totals from tenant;
grant update (total) on totals to tenant;
revoke execute on function doubled(int) from public;
grant select on totals to public;
