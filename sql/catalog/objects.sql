-- What migrations make in the schemas of tenants, a row for each thing that can be there or be otherwise by itself.
--
-- $1: the names of the schemas; $2: the roles of their tenants; $3: tables that are the service's own business.
--
-- The texts of two tenants are the same where their tables are: search_path is empty, so that every name is qualified, and a schema's
-- own name is taken out again; a tenant's role is "tenantry tenant role". Names are quoted where they have to be. What only
-- makes things faster or slower (storage parameters, statistics, tablespaces), the order of columns and what is in the rows are left out.
with workspaces as materialized (
  select w.ordinal::int4 as workspace, n.oid as namespace, n.nspowner as owner, n.nspacl, r.oid as role,
         quote_ident(n.nspname) || '.' as prefix, quote_literal(n.nspname) as literal
  from unnest($1::text[], $2::text[]) with ordinality as w (schema_name, role_name, ordinal)
  join pg_namespace n on n.nspname = w.schema_name
  left join pg_roles r on r.rolname = w.role_name
),
-- What depends on a schema is found by an index; there is none of what is in it.
members as materialized (
  select distinct w.workspace, d.classid, d.objid as oid
  from workspaces w
  join pg_depend d on d.refclassid = 'pg_namespace'::regclass and d.refobjid = w.namespace
),
relations as materialized (
  select w.workspace, w.owner as schema_owner, w.role, c.oid, c.relkind, c.relpersistence, c.relispartition, c.relowner,
         c.relrowsecurity, c.relforcerowsecurity, c.reloptions, c.relacl, c.reloftype, c.relpartbound, quote_ident(c.relname) as name,
         case c.relkind when 'v' then 'view' when 'm' then 'materialized view' when 'f' then 'foreign table'
           when 'S' then 'sequence' when 'c' then 'type' else 'table' end as word
  from (
    select m.workspace, m.oid from members m where m.classid = 'pg_class'::regclass
    union all
    select m.workspace, t.typrelid from members m join pg_type t on t.oid = m.oid where m.classid = 'pg_type'::regclass and t.typtype = 'c'
  ) as m
  join workspaces w on w.workspace = m.workspace
  join pg_class c on c.oid = m.oid and c.relnamespace = w.namespace
  where c.relname <> all ($3::text[])
),
columns as materialized (
  select r.workspace, r.role, r.relkind, r.oid as relation, r.relowner, 'table ' || r.name as parent, r.name as relation_name,
         a.attnum, quote_ident(a.attname) as name, a.attnotnull, a.attidentity, a.attgenerated, a.attinhcount, a.attacl,
         format_type(a.atttypid, a.atttypmod) || coalesce((
           select ' collate ' || c.oid::regcollation::text from pg_collation c
           where c.oid = a.attcollation and c.collname <> 'default'), '') as type,
         pg_get_expr(d.adbin, d.adrelid) as expression
  from relations r
  join pg_attribute a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
  left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
  where r.relkind <> 'S'
),
constraints as materialized (
  select r.workspace, c.oid, 'table ' || r.name as parent, r.name as owner_label, quote_ident(c.conname) as name,
         pg_get_constraintdef(c.oid) as definition
  from relations r
  join pg_constraint c on c.conrelid = r.oid
  -- Since Postgres 18 columns that are not null have one, too.
  where c.conparentid = 0 and c.coninhcount = 0 and (c.contype in ('c', 'f', 'p', 'u', 'x') or c.contype = 'n' and not c.convalidated)
  union all
  select w.workspace, c.oid, 'domain ' || quote_ident(t.typname), 'domain ' || quote_ident(t.typname), quote_ident(c.conname),
         pg_get_constraintdef(c.oid)
  from members m
  join workspaces w on w.workspace = m.workspace
  join pg_type t on m.classid = 'pg_type'::regclass and t.oid = m.oid and t.typnamespace = w.namespace and t.typtype = 'd'
  join pg_constraint c on c.contypid = t.oid and c.contype = 'c'
),
indexes as materialized (
  select r.workspace, i.indexrelid as oid, 'table ' || r.name as parent, quote_ident(c.relname) as name,
         pg_get_indexdef(i.indexrelid) || case when i.indisvalid or r.relkind = 'p' then '' else ' /* invalid */' end as definition
  from relations r
  join pg_index i on i.indrelid = r.oid
  join pg_class c on c.oid = i.indexrelid and not c.relispartition
  where not exists (
    select from pg_constraint k
    where k.conrelid = i.indrelid and k.conindid = i.indexrelid and k.contype in ('p', 'u', 'x'))
),
types as materialized (
  select w.workspace, w.owner as schema_owner, w.role, t.oid, t.typtype, t.typowner, t.typacl, t.typnotnull, t.typdefault, t.typrelid,
         t.typbasetype, t.typtypmod, t.typcollation, quote_ident(t.typname) as name,
         case t.typtype when 'd' then 'domain' else 'type' end as word
  from members m
  join workspaces w on w.workspace = m.workspace
  join pg_type t on t.oid = m.oid and t.typnamespace = w.namespace
  left join pg_class c on c.oid = t.typrelid
  where m.classid = 'pg_type'::regclass
    and (t.typtype in ('e', 'd', 'r') or t.typtype = 'c' and c.relkind = 'c' or t.typtype = 'b' and t.typcategory <> 'A')
),
functions as materialized (
  select w.workspace, w.owner as schema_owner, w.role, w.prefix, w.literal, p.oid, p.proowner, p.proacl, p.prokind, p.prosqlbody is null as is_text,
         case p.prokind when 'p' then 'procedure' when 'a' then 'aggregate' else 'function' end as word,
         replace(quote_ident(p.proname) || '(' || pg_get_function_identity_arguments(p.oid) || ')', w.prefix, '') as name
  from members m
  join workspaces w on w.workspace = m.workspace
  join pg_proc p on p.oid = m.oid and p.pronamespace = w.namespace
  where m.classid = 'pg_proc'::regclass
    -- Those that come with a range type or an extension are theirs.
    and not exists (
    select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype in ('i', 'e'))
),
triggers as materialized (
  select r.workspace, t.oid, t.tgenabled, 'table ' || r.name as parent, r.name as relation_name, quote_ident(t.tgname) as name
  from relations r
  join pg_trigger t on t.tgrelid = r.oid
  where not t.tgisinternal and t.tgparentid = 0
),
policies as materialized (
  select r.workspace, r.role, r.schema_owner, p.oid, p.polcmd, p.polpermissive, p.polroles, 'table ' || r.name as parent,
         r.name as relation_name, quote_ident(p.polname) as name,
         pg_get_expr(p.polqual, p.polrelid) as visible, pg_get_expr(p.polwithcheck, p.polrelid) as checked
  from relations r
  join pg_policy p on p.polrelid = r.oid
),
sequences as materialized (
  select r.workspace, r.oid, r.name, d.deptype, d.refobjid, d.refobjsubid,
         concat('as ', format_type(s.seqtypid, null), ' increment by ', s.seqincrement, ' minvalue ', s.seqmin, ' maxvalue ', s.seqmax,
           ' start with ', s.seqstart, ' cache ', s.seqcache, case when s.seqcycle then ' cycle' else ' no cycle' end) as definition
  from relations r
  join pg_sequence s on s.seqrelid = r.oid
  left join pg_depend d on d.classid = 'pg_class'::regclass and d.objid = r.oid and d.objsubid = 0
                       and d.refclassid = 'pg_class'::regclass and d.deptype in ('a', 'i')
),
privileges (workspace, kind, parent, role, owner, privilege, acl) as (
  select workspace, 'grant', case relkind when 'S' then 'sequence ' else 'table ' end || name, role, relowner, null, relacl
  from relations where relacl is not null and relkind <> 'c'
  union all
  select workspace, 'column grant', parent, role, relowner, name, attacl from columns where attacl is not null
  union all
  select workspace, 'grant', replace(word, 'aggregate', 'function') || ' ' || name, role, proowner, null,
         coalesce(proacl, acldefault('f', proowner))
  from functions
  union all
  select workspace, 'grant', word || ' ' || name, role, typowner, null, coalesce(typacl, acldefault('T', typowner)) from types
  union all
  select workspace, 'grant', 'schema "tenantry tenant schema"', role, owner, null, nspacl from workspaces
  union all
  select w.workspace, 'default grant', case d.defaclobjtype when 'r' then 'tables' when 'S' then 'sequences' when 'f' then 'functions'
           when 'T' then 'types' else 'schemas' end, w.role, d.defaclrole, null, d.defaclacl
  from workspaces w
  join pg_default_acl d on d.defaclnamespace = w.namespace and d.defaclrole = w.owner
),
commented (workspace, classoid, objoid, objsubid, label) as (
  select workspace, 'pg_class'::regclass, oid, 0, word || ' ' || name from relations where relkind <> 'c'
  union all
  select workspace, 'pg_class'::regclass, relation, attnum, 'column ' || relation_name || '.' || name from columns
  union all
  select workspace, 'pg_constraint'::regclass, oid, 0, 'constraint ' || name || ' on ' || owner_label from constraints
  union all
  select workspace, 'pg_class'::regclass, oid, 0, 'index ' || name from indexes
  union all
  select workspace, 'pg_type'::regclass, oid, 0, word || ' ' || name from types
  union all
  select workspace, 'pg_proc'::regclass, oid, 0, word || ' ' || name from functions
  union all
  select workspace, 'pg_trigger'::regclass, oid, 0, 'trigger ' || name || ' on ' || relation_name from triggers
  union all
  select workspace, 'pg_policy'::regclass, oid, 0, 'policy ' || name || ' on ' || relation_name from policies
),
objects (workspace, kind, parent, name, definition, position) as (
  select r.workspace, 'table', '', r.name,
         concat('create ', case r.relpersistence when 'u' then 'unlogged ' end, r.word, ' ', r.name,
           case when r.relispartition then ' partition of ' || p.names || ' ' || pg_get_expr(r.relpartbound, r.oid)
             when r.reloftype <> 0 then ' of ' || format_type(r.reloftype, null)
             else ' (…)' || coalesce(' inherits (' || p.names || ')', '') end,
           ' partition by ' || pg_get_partkeydef(r.oid),
           (select ' server ' || quote_ident(s.srvname) || ' options ' || coalesce(f.ftoptions::text, '')
            from pg_foreign_table f join pg_foreign_server s on s.oid = f.ftserver where f.ftrelid = r.oid)),
         r.oid::int8
  from relations r
  left join lateral (
    select string_agg(i.inhparent::regclass::text, ', ' order by i.inhseqno) as names
    from pg_inherits i where i.inhrelid = r.oid) as p on true
  where r.relkind in ('r', 'p', 'f')
  union all
  select workspace, 'row security', 'table ' || name, 'enable', '', oid::int8 from relations where relrowsecurity
  union all
  select workspace, 'row security', 'table ' || name, 'force', '', oid::int8 from relations where relforcerowsecurity
  union all
  select workspace, 'column', parent, name, type, attnum from columns where relkind in ('r', 'p', 'f') and attinhcount = 0
  union all
  select workspace, 'not null', parent, name, '', attnum from columns where relkind in ('r', 'p', 'f') and attnotnull
  union all
  select workspace, 'default', parent, name,
         case when attidentity = 'a' then 'generated always as identity'
           when attidentity = 'd' then 'generated by default as identity'
           when attgenerated = 's' then 'generated always as (' || expression || ') stored'
           when attgenerated = 'v' then 'generated always as (' || expression || ') virtual'
           else 'default ' || expression end,
         attnum
  from columns
  where relkind <> 'c' and (attidentity <> '' or expression is not null)
  union all
  select workspace, 'constraint', parent, name, definition, oid::int8 from constraints
  union all
  select workspace, 'index', parent, name, definition, oid::int8 from indexes
  union all
  select workspace, word, '', name,
         concat('create ', word, ' ', name, ' with (' || array_to_string(reloptions, ', ') || ')', ' as ', pg_get_viewdef(oid)), oid::int8
  from relations where relkind in ('v', 'm')
  union all
  select r.workspace, 'rule', 'table ' || r.name, quote_ident(w.rulename), pg_get_ruledef(w.oid), w.oid::int8
  from relations r
  join pg_rewrite w on w.ev_class = r.oid and w.rulename <> '_RETURN'
  union all
  select t.workspace, t.word, '', t.name,
         case t.typtype
           when 'e' then concat('create type ', t.name, ' as enum (',
             (select string_agg(quote_literal(e.enumlabel), ', ' order by e.enumsortorder) from pg_enum e where e.enumtypid = t.oid), ')')
           when 'd' then concat('create domain ', t.name, ' as ', format_type(t.typbasetype, t.typtypmod),
             (select ' collate ' || c.oid::regcollation::text from pg_collation c
              where c.oid = t.typcollation and c.collname <> 'default'))
           when 'c' then concat('create type ', t.name, ' as (',
             (select string_agg(c.name || ' ' || c.type, ', ' order by c.attnum) from columns c where c.relation = t.typrelid), ')')
           when 'r' then (select concat('create type ', t.name, ' as range (subtype = ', format_type(r.rngsubtype, null), ')')
             from pg_range r where r.rngtypid = t.oid)
           else 'create type ' || t.name end,
         t.oid::int8
  from types t
  union all
  select workspace, 'not null', 'domain ' || name, '', '', oid::int8 from types where typtype = 'd' and typnotnull
  union all
  select workspace, 'default', 'domain ' || name, '', 'default ' || typdefault, oid::int8
  from types where typtype = 'd' and typdefault is not null
  union all
  -- The text of a body is everybody's own words; the schema's name is taken out of what is before it.
  select f.workspace, f.word, '', f.name,
         case when f.is_text and f.prokind <> 'a' then replace(replace(left(d.text, d.body), f.prefix, ''), f.literal, '''tenantry tenant schema''')
             || substr(d.text, d.body + 1)
           else replace(d.text, f.prefix, '') end,
         f.oid::int8
  from functions f
  cross join lateral (
    select text, strpos(text, E'\nAS ') as body
    from (select case f.prokind when 'a' then (
            select concat('create aggregate ', f.name, ' (sfunc = ', a.aggtransfn, ', stype = ', format_type(a.aggtranstype, null),
              ', finalfunc = ' || nullif(a.aggfinalfn::text, '-'), ', combinefunc = ' || nullif(a.aggcombinefn::text, '-'),
              ', initcond = ' || quote_literal(a.agginitval), ')')
            from pg_aggregate a where a.aggfnoid = f.oid)
          else pg_get_functiondef(f.oid) end) as whole (text)) as d
  union all
  select workspace, 'trigger', parent, name, pg_get_triggerdef(oid), oid::int8 from triggers
  union all
  select workspace, 'trigger state', parent, name,
         case tgenabled when 'D' then 'disable' when 'R' then 'enable replica' else 'enable always' end, oid::int8
  from triggers where tgenabled <> 'O'
  union all
  -- Those of Postgres itself, which see to it that references are kept.
  select r.workspace, 'trigger state', 'table ' || r.name, 'all', 'disable', r.oid::int8
  from relations r
  join pg_trigger t on t.tgrelid = r.oid and t.tgisinternal and t.tgenabled = 'D'
  group by r.workspace, r.name, r.oid
  union all
  select p.workspace, 'policy', p.parent, p.name,
         concat('as ', case when p.polpermissive then 'permissive' else 'restrictive' end, ' for ',
           case p.polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete' else 'all' end, ' to ',
           (select string_agg(r.name, ', ' order by r.name)
            from (select case when u.oid = 0 then 'public' when u.oid = p.role then '"tenantry tenant role"'
                    when u.oid = p.schema_owner then 'current_user' else quote_ident(pg_get_userbyid(u.oid)) end
                  from unnest(p.polroles) as u (oid)) as r (name)),
           ' using (' || p.visible || ')', ' with check (' || p.checked || ')'),
         p.oid::int8
  from policies p
  union all
  select workspace, 'sequence', '', name, definition, oid::int8 from sequences where deptype is distinct from 'i'
  union all
  select s.workspace, case s.deptype when 'i' then 'identity' else 'owned by' end,
         case s.deptype when 'i' then c.parent else 'sequence ' || s.name end, case s.deptype when 'i' then c.name else '' end,
         case s.deptype when 'i' then s.definition else c.relation_name || '.' || c.name end, s.oid::int8
  from sequences s
  join columns c on c.relation = s.refobjid and c.attnum = s.refobjsubid
  union all
  select p.workspace, p.kind, p.parent,
         concat(case when a.grantee = 0 then 'public' when a.grantee = p.role then '"tenantry tenant role"'
           else quote_ident(pg_get_userbyid(a.grantee)) end, case when a.is_grantable then ' with grant option' end),
         string_agg(lower(a.privilege_type) || coalesce(' (' || p.privilege || ')', ''), ', ' order by a.privilege_type, p.privilege), 0
  from privileges p
  cross join lateral aclexplode(p.acl) as a
  where a.grantee <> p.owner
    -- A deleted tenant is shut out of its schema.
    and (p.parent <> 'schema "tenantry tenant schema"' or a.grantee is distinct from p.role or a.privilege_type <> 'USAGE')
  group by p.workspace, p.kind, p.parent, p.role, a.grantee, a.is_grantable
  union all
  select workspace, 'owner', case relkind when 'S' then 'sequence ' when 'c' then 'type ' else 'table ' end || name, '',
         quote_ident(pg_get_userbyid(relowner)), oid::int8
  from relations where relowner <> schema_owner
  union all
  select workspace, 'owner', word || ' ' || name, '', quote_ident(pg_get_userbyid(proowner)), oid::int8
  from functions where proowner <> schema_owner
  union all
  select workspace, 'owner', word || ' ' || name, '', quote_ident(pg_get_userbyid(typowner)), oid::int8
  from types where typowner <> schema_owner and typtype <> 'c'
  union all
  select c.workspace, 'comment', c.label, '', quote_literal(d.description), 0
  from commented c
  join pg_description d on d.objoid = c.objoid and d.classoid = c.classoid and d.objsubid = c.objsubid
  union all
  -- Seldom made, and told of by name only.
  select w.workspace, 'other', '', o.name, '', 0
  from workspaces w
  join (
    select oprnamespace, 'operator ' || oid::regoperator::text from pg_operator
    union all select opcnamespace, 'operator class ' || quote_ident(opcname) from pg_opclass
    union all select cfgnamespace, 'text search configuration ' || quote_ident(cfgname) from pg_ts_config
    union all select dictnamespace, 'text search dictionary ' || quote_ident(dictname) from pg_ts_dict
    union all select collnamespace, 'collation ' || quote_ident(collname) from pg_collation
  ) as o (namespace, name) on o.namespace = w.namespace
)
select o.workspace, o.kind, replace(o.parent, w.prefix, '') as parent, replace(o.name, w.prefix, '') as name,
       case when o.kind in ('function', 'procedure') then o.definition
         when strpos(o.definition, 'ARRAY[') > 0 then
           -- What `varchar in ('a', 'b')` has become is printed otherwise once it has been read back.
           regexp_replace(regexp_replace(replace(o.definition, w.prefix, ''),
             '\(ARRAY\[([^]]*)\]\)::text\[\]', 'ARRAY[\1]', 'g'),
             '\((''(?:[^'']|'''')*''::character varying(?:\(\d+\))?)\)::text', '\1', 'g')
         else replace(o.definition, w.prefix, '') end as definition,
       o.position
from objects o
join workspaces w on w.workspace = o.workspace
