-- Functions of the tenant's schema that a role may call; $1 = oids of schemas, of which it is the first, $2 = the role's name, or null for this one.
-- Aggregates, window functions and procedures have another prokind; triggers and the like another result.
-- What an extension owns is left out, and what is written in C: neither was meant for clients.
select p.proname::text,
       p.provolatile = 'v' as volatile,
       p.proretset,
       p.prorettype,
       p.prorettype = 'void'::regtype as returns_nothing,
       p.provariadic <> 0 as variadic,
       p.pronargs::int4,
       p.pronargdefaults::int4,
       coalesce(p.proallargtypes, p.proargtypes::oid[]) as types,
       coalesce(p.proargmodes::text[], '{}') as modes,
       coalesce(p.proargnames, '{}') as names,
       pg_get_function_identity_arguments(p.oid) as signature,
       obj_description(p.oid, 'pg_proc') as comment
from pg_proc p
join pg_language l on l.oid = p.prolang
where p.oid = any (array(select d.objid from pg_depend d
                         where d.refclassid = 'pg_namespace'::regclass and d.refobjid = ($1::oid[])[1] and d.classid = 'pg_proc'::regclass))
  and p.prokind = 'f'
  and l.lanname not in ('internal', 'c')
  and has_function_privilege(coalesce($2::text, current_user), p.oid, 'execute')
  and not exists (select from pg_depend d
                  where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')
order by p.proname, signature
