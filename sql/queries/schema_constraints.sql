-- schema_constraints: constraints that tables have of their own; what comes from a parent goes with it.
-- $1 oids
-- returns: table oid, name, kind, definition, referenced schema, referenced name
select k.conrelid::bigint, k.conname, k.contype::text, pg_get_constraintdef(k.oid), n.nspname, r.relname
  from pg_constraint k
  left join pg_class r on r.oid = k.confrelid
  left join pg_namespace n on n.oid = r.relnamespace
 where k.conrelid = any ($1::oid[]) and k.contype in ('p', 'u', 'x', 'c', 'f')
   and k.conparentid = 0 and (k.contype <> 'c' or k.conislocal)
 order by k.conrelid, k.contype in ('u', 'x', 'c', 'f'), k.conname
