-- A number for each schema ($1: their names) that another one takes the place of whenever something in the catalog changes that
-- sql/catalog/objects.sql reads: which rows there are, and which transactions have written them.
with workspaces as materialized (
  select w.ordinal::int4 as workspace, n.oid, n.xmin
  from unnest($1::text[]) with ordinality as w (schema_name, ordinal)
  join pg_namespace n on n.nspname = w.schema_name
),
relations as materialized (
  select w.workspace, c.oid, c.relkind, c.xmin
  from workspaces w join pg_class c on c.relnamespace = w.oid
),
types as materialized (
  select w.workspace, t.oid, t.xmin from workspaces w join pg_type t on t.typnamespace = w.oid
),
members (workspace, class, oid, part, xmin) as materialized (
  select workspace, 'pg_class'::regclass, oid, 0, xmin from relations
  union all select workspace, 'pg_type'::regclass, oid, 0, xmin from types
  union all select w.workspace, 'pg_proc'::regclass, p.oid, 0, p.xmin
    from workspaces w join pg_proc p on p.pronamespace = w.oid
  union all select w.workspace, 'pg_constraint'::regclass, c.oid, 0, c.xmin
    from workspaces w join pg_constraint c on c.connamespace = w.oid
  union all select r.workspace, 'pg_trigger'::regclass, t.oid, 0, t.xmin from relations r join pg_trigger t on t.tgrelid = r.oid
  union all select r.workspace, 'pg_policy'::regclass, p.oid, 0, p.xmin from relations r join pg_policy p on p.polrelid = r.oid
),
seen as (
  select * from members
  union all select workspace, 'pg_namespace'::regclass, oid, 0, xmin from workspaces
  union all select r.workspace, 'pg_attribute'::regclass, a.attrelid, a.attnum, a.xmin
    from relations r join pg_attribute a on a.attrelid = r.oid and a.attnum > 0
  union all select r.workspace, 'pg_attrdef'::regclass, d.oid, 0, d.xmin from relations r join pg_attrdef d on d.adrelid = r.oid
  union all select r.workspace, 'pg_index'::regclass, i.indexrelid, 0, i.xmin from relations r join pg_index i on i.indexrelid = r.oid
  union all select r.workspace, 'pg_rewrite'::regclass, w.oid, 0, w.xmin from relations r join pg_rewrite w on w.ev_class = r.oid
  union all select r.workspace, 'pg_inherits'::regclass, i.inhrelid, i.inhseqno, i.xmin
    from relations r join pg_inherits i on i.inhrelid = r.oid
  union all select r.workspace, 'pg_sequence'::regclass, s.seqrelid, 0, s.xmin from relations r join pg_sequence s on s.seqrelid = r.oid
  union all select r.workspace, 'pg_depend'::regclass, d.refobjid, d.refobjsubid, d.xmin
    from relations r join pg_depend d on d.classid = 'pg_class'::regclass and d.objid = r.oid and r.relkind = 'S'
  union all select t.workspace, 'pg_enum'::regclass, e.oid, 0, e.xmin from types t join pg_enum e on e.enumtypid = t.oid
  union all select w.workspace, 'pg_default_acl'::regclass, d.oid, 0, d.xmin
    from workspaces w join pg_default_acl d on d.defaclnamespace = w.oid
  union all select m.workspace, 'pg_description'::regclass, d.objoid, d.objsubid, d.xmin
    from members m join pg_description d on d.objoid = m.oid and d.classoid = m.class
  union all select w.workspace, 'pg_operator'::regclass, o.oid, 0, o.xmin from workspaces w join pg_operator o on o.oprnamespace = w.oid
)
select workspace,
       current_setting('server_version_num') || ' ' || count(*) || ' '
         || bit_xor(hashtextextended(concat_ws(' ', class::oid, oid, part, xmin), 0)) as stamp
from seen
group by workspace
