-- Columns that are searched, with the configuration that their words are made by; $1 = the schemas' oids, the tenant's own first,
-- $2 = the oids of their relations.
-- Expressions are looked at as Postgres keeps them, as printing one would wait for its table, which may be locked:
-- 3734 is regconfig, 3745 is to_tsvector(regconfig, text).
with searched as materialized (
    -- A generated tsvector names its configuration in its expression,
    select d.adrelid as relation,
           d.adnum as attnum,
           'pg_attrdef'::regclass as class,
           d.oid as object,
           null as named
    from pg_attrdef d
    join pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum
    where d.adrelid = any ($2::oid[])
      and a.attgenerated <> ''
      and a.atttypid = 'tsvector'::regtype
      and d.adbin::text like '%:consttype 3734 %'
    union all
    -- one that a trigger fills in the trigger's arguments,
    select t.tgrelid, a.attnum, null, null, g.args[2]
    from pg_trigger t
    cross join lateral (select string_to_array(encode(t.tgargs, 'escape'), '\000') as args) g
    join pg_attribute a on a.attrelid = t.tgrelid and a.attname = g.args[1]
    where t.tgrelid = any ($2::oid[]) and t.tgfoid = 'tsvector_update_trigger'::regproc
    union all
    -- and a text that has an index for searches in the index's expression.
    select i.indrelid, e.found[1]::int2, 'pg_class'::regclass, i.indexrelid, null
    from pg_index i
    cross join lateral (select regexp_match(i.indexprs::text,
        '^\({FUNCEXPR :funcid 3745 [^{]*:args \({CONST :consttype 3734 [^}]*} (?:{RELABELTYPE :arg )?{VAR :varno 1 :varattno (\d+) [^{]*$'
    ) as found) e
    where i.indrelid = any ($2::oid[]) and i.indisvalid and i.indpred is null and i.indnatts = 1 and e.found is not null
)
select distinct on (s.relation, s.attnum)
       s.relation,
       s.attnum::int2,
       quote_literal(case when n.oid = ($1::oid[])[1] then '' else 'pg_catalog.' end || quote_ident(f.cfgname)) || '::regconfig' as configuration
from searched s
join pg_ts_config f
  on case when s.named is not null
          then s.named in (f.cfgname, 'pg_catalog.' || f.cfgname)
          -- Nothing depends on what is built in, and simple is the only one of those.
          else f.oid = coalesce((select min(d.refobjid)
                                 from pg_depend d
                                 where d.classid = s.class and d.objid = s.object and d.refclassid = 'pg_ts_config'::regclass),
                                'pg_catalog.simple'::regconfig) end
join pg_namespace n on n.oid = f.cfgnamespace
where n.oid = ($1::oid[])[1] or n.nspname = 'pg_catalog'
order by s.relation, s.attnum, s.named is null, f.cfgnamespace = ($1::oid[])[1] desc, f.oid
