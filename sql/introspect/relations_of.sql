-- The oids of all relations and composite types of some schemas; $1 = the schemas' oids. They are found by what depends
-- on a schema, which has an index: pg_class has none by schema, and holds the tables of every tenant.
select d.objid as oid
from pg_depend d
where d.refclassid = 'pg_namespace'::regclass and d.refobjid = any ($1::oid[]) and d.classid = 'pg_class'::regclass
union all
select t.typrelid
from pg_depend d
join pg_type t on t.oid = d.objid
where d.refclassid = 'pg_namespace'::regclass and d.refobjid = any ($1::oid[]) and d.classid = 'pg_type'::regclass
  and t.typtype = 'c'
