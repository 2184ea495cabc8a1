-- A number for each schema ($1: their names) that another one takes the place of whenever something in the catalog changes that
-- sql/catalog/objects.sql reads: which rows there are, and which transactions have written them.
with workspaces as materialized (
  select w.ordinal::int4 as workspace, n.oid, n.xmin
  from unnest($1::text[]) with ordinality as w (schema_name, ordinal)
  join pg_namespace n on n.nspname = w.schema_name
),
-- What depends on a schema is found by an index; there is none of what is in it.
depending as materialized (
  select distinct w.workspace, d.classid, d.objid as oid
  from workspaces w join pg_depend d on d.refclassid = 'pg_namespace'::regclass and d.refobjid = w.oid
),
types as materialized (
  select d.workspace, t.oid, t.typrelid, t.xmin
  from depending d join pg_type t on d.classid = 'pg_type'::regclass and t.oid = d.oid
),
tables as materialized (
  select d.workspace, d.oid from depending d where d.classid = 'pg_class'::regclass
  union all select workspace, typrelid from types where typrelid <> 0
),
relations as materialized (
  select r.workspace, c.oid, c.relkind, c.xmin
  from (select workspace, oid from tables
        union all select t.workspace, i.indexrelid from tables t join pg_index i on i.indrelid = t.oid) as r
  join pg_class c on c.oid = r.oid
),
members (workspace, class, oid, part, xmin) as materialized (
  select workspace, 'pg_class'::regclass, oid, 0, xmin from relations
  union all select workspace, 'pg_type'::regclass, oid, 0, xmin from types
  union all select d.workspace, 'pg_proc'::regclass, p.oid, 0, p.xmin
    from depending d join pg_proc p on d.classid = 'pg_proc'::regclass and p.oid = d.oid
  union all select r.workspace, 'pg_constraint'::regclass, c.oid, 0, c.xmin from relations r join pg_constraint c on c.conrelid = r.oid
  union all select t.workspace, 'pg_constraint'::regclass, c.oid, 0, c.xmin from types t join pg_constraint c on c.contypid = t.oid
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
