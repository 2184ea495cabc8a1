-- Whether functions that requests may come by can run any statement, PREPARE among them: those in other languages than SQL and
-- PL/pgSQL, and those in whose text there is an EXECUTE or a PREPARE; $1 = the schemas' oids.
select exists (
    select from pg_depend d
    join pg_proc p on p.oid = d.objid
    join pg_language l on l.oid = p.prolang
    where d.refclassid = 'pg_namespace'::regclass
      and d.refobjid = any ($1::oid[] || array(select n.oid from pg_namespace n where n.nspname in ('public', 'extensions')))
      and d.classid = 'pg_proc'::regclass
      and l.lanname not in ('internal', 'c')
      and (l.lanname not in ('sql', 'plpgsql') or p.prosrc ~* '\m(execute|prepare)\M')
) as runs_anything
