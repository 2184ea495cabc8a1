-- Fails when this transaction has made something outside of the tenant's schema: it would be there once for all tenants, and in
-- the way of the next one. Called at the end of a tenant's transaction, on its way to the commit, so that nothing stays behind. As a
-- function it is read once by each connection, which migrates hundreds of tenants.
--
-- What belongs to a schema is found by pg_depend, which has an index for that. Extensions may be wherever they are.
create function tenantry.refuse_outside() returns void
language plpgsql
set search_path = pg_catalog
as $$
declare
  made text;
begin
  select o.type || ' ' || o.identity into made
  from (
    select d.classid, d.objid
    from pg_namespace n
    join pg_depend d on d.refclassid = 'pg_namespace'::regclass and d.refobjid = n.oid and d.deptype = 'n'
    where n.nspname in ('public', 'shared', 'extensions', 'tenantry')
      -- Subtransactions have numbers of their own, which are greater; so have others that have committed meanwhile.
      and age(d.xmin) <= 0
      and pg_xact_status((pg_current_xact_id()::text::numeric - age(d.xmin))::text::xid8) = 'in progress'
      and d.classid <> 'pg_extension'::regclass
      and not exists (
        select from pg_depend e where e.classid = d.classid and e.objid = d.objid and e.deptype = 'e')
    order by d.classid, d.objid
    limit 1
  ) as first
  cross join pg_identify_object(first.classid, first.objid, 0) as o;
  if made is not null then
    raise exception using
      errcode = 'invalid_schema_definition',
      message = format('the files make the %s outside of the tenant''s schema: it would be there once for all '
        'tenants, and in the way of the next one (a search_path or a schema that is put together at run time?)', made);
  end if;
end
$$;
revoke execute on function tenantry.refuse_outside() from public;
