-- What tenants have in shared tables goes into their clones and archives, too.

-- Rows of shared tables, in pg_temp.tenantry_shared_1, …, become those of a tenant.
--
-- A key without tenant_id that is taken gets a new value, if the table makes such values itself (an identity, a sequence, a
-- uuid). Rows with another key that is taken are left out. Says how many, table by table.
create function tenantry.adopt_shared_rows(tenant uuid, tables text[]) returns jsonb
language plpgsql
set search_path = pg_catalog
as $$
declare
  target regclass;
  one record;
  place text;
  columns text;
  expressions text;
  wanted bigint;
  done bigint;
  left_out jsonb := '{}';
begin
  create temporary table tenantry_renewed (relation oid, name name, place text) on commit drop;
  for n in 1 .. cardinality(tables) loop
    target := to_regclass(format('shared.%I', tables[n]));
    if not exists (select from pg_policy where polrelid = target and polname = 'tenantry_bound') then
      raise undefined_table using message = format('there is no shared table %s with rows of tenants', tables[n]);
    end if;
    for one in
      select distinct a.attname, a.attidentity <> '' as identity, pg_get_expr(d.adbin, d.adrelid) as made
      from pg_index i
      join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any (i.indkey) and a.attgenerated = ''
      left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
      where i.indrelid = target and i.indisunique
        and not exists (select from pg_attribute t where t.attrelid = i.indrelid and t.attnum = any (i.indkey)
                        and t.attname = 'tenant_id')
        and (a.attidentity <> '' or pg_get_expr(d.adbin, d.adrelid) ~ 'nextval\(|uuid|random')
    loop
      place := format('tenantry_renewed_%s_%s', n, (select count(*) from pg_temp.tenantry_renewed));
      insert into pg_temp.tenantry_renewed values (target, one.attname, place);
      execute format('create temporary table %I on commit drop as
          select s.%I as old, %s as new from pg_temp.%I s where s.%2$I in (select t.%2$I from %5$s t)', place, one.attname,
        case when one.identity
          then format('nextval(%L::regclass)', pg_get_serial_sequence(target::text, one.attname)) else one.made end,
        'tenantry_shared_' || n, target);
      execute format('create index on pg_temp.%I (old)', place);
    end loop;
  end loop;

  -- Those that others refer to have come first, as they were made first.
  for n in 1 .. cardinality(tables) loop
    target := to_regclass(format('shared.%I', tables[n]));
    select string_agg(quote_ident(a.attname), ', ' order by a.attnum),
      string_agg(case
        when a.attname = 'tenant_id' then '$1::text::' || format_type(a.atttypid, null)
        when r.place is null then 's.' || quote_ident(a.attname)
        else format('coalesce((select r.new from pg_temp.%I r where r.old = s.%I), s.%2$I)', r.place, a.attname)
        end, ', ' order by a.attnum)
      into columns, expressions
    from pg_attribute a
    left join lateral (
      select r.place from pg_temp.tenantry_renewed r
      where r.relation = target and r.name = a.attname
        or exists (
          select from pg_constraint c
          cross join unnest(c.conkey, c.confkey) as k (own, theirs)
          join pg_attribute b on b.attrelid = c.confrelid and b.attnum = k.theirs
          where c.contype = 'f' and c.conrelid = target and k.own = a.attnum
            and c.confrelid = r.relation and b.attname = r.name)
      limit 1) r on true
    where a.attrelid = target and a.attnum > 0 and not a.attisdropped and a.attgenerated = '';
    execute format('select count(*) from pg_temp.%I', 'tenantry_shared_' || n) into wanted;
    execute format('insert into %s (%s) overriding system value select %s from pg_temp.%I s on conflict do nothing',
      target, columns, expressions, 'tenantry_shared_' || n) using tenant;
    get diagnostics done = row_count;
    if done < wanted then
      left_out := left_out || jsonb_build_object(tables[n], wanted - done);
      for one in select r.name, r.place from pg_temp.tenantry_renewed r where r.relation = target loop
        execute format('delete from pg_temp.%I r where not exists (select from %s t where t.%I = r.new)',
          one.place, target, one.name);
      end loop;
    end if;
  end loop;

  -- Keys that have been taken over are not made again.
  for one in
    select pg_get_serial_sequence(c.oid::regclass::text, a.attname) as sequence, a.attname, c.oid::regclass as relation
    from unnest(tables) as t (name)
    join pg_class c on c.oid = to_regclass(format('shared.%I', t.name))
    join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    where pg_get_serial_sequence(c.oid::regclass::text, a.attname) is not null
  loop
    execute format('select setval(%L, m.most) from (select max(%I) as most from %s) m, %s s where m.most > s.last_value',
      one.sequence, one.attname, one.relation, one.sequence);
  end loop;
  return left_out;
end
$$;

-- What refers to such keys in a tenant's own tables, whose rows have been loaded since, gets the new values.
create function tenantry.follow_renewed_keys(schema_name text) returns void
language plpgsql
set search_path = pg_catalog
as $$
declare
  namespace oid := to_regnamespace(quote_ident(schema_name));
  one record;
begin
  for one in
    with links (relation, name, shared, shared_name) as (
      select c.conrelid, a.attname, c.confrelid, b.attname
      from pg_constraint c
      cross join unnest(c.conkey, c.confkey) as k (own, theirs)
      join pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.own
      join pg_attribute b on b.attrelid = c.confrelid and b.attnum = k.theirs
      where c.connamespace = namespace and c.contype = 'f' and c.conparentid = 0
      union
      -- Those that are no constraints, but said to be there.
      select d.objoid, (parse_ident(m[1]))[1], to_regclass('shared.' || m[2])::oid, (parse_ident(m[3]))[1]
      from pg_class c
      join pg_description d on d.objoid = c.oid and d.classoid = 'pg_class'::regclass and d.objsubid = 0
      cross join regexp_matches(d.description, replace(
        '@foreignKey\s*\(\s*(NAME)\s*\)\s*references\s+shared\.(NAME)\s*\(\s*(NAME)\s*\)',
        'NAME', '"(?:[^"]|"")+"|[[:alpha:]_][[:alnum:]_$]*'), 'g') as m
      where c.relnamespace = namespace and c.relkind in ('r', 'p') and not c.relispartition
    )
    select l.relation::regclass as relation, l.name, r.place
    from links l join pg_temp.tenantry_renewed r on r.relation = l.shared and r.name = l.shared_name
  loop
    execute format('update %s t set %I = r.new from pg_temp.%I r where t.%2$I = r.old', one.relation, one.name, one.place);
  end loop;
end
$$;
revoke execute on function tenantry.adopt_shared_rows(uuid, text[]), tenantry.follow_renewed_keys(text) from public;
