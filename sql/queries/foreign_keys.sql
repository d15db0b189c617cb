-- foreign_keys: enforced foreign keys that start or end at a relation; those inherited from a
-- parent go with it.
-- $1 oid
-- returns: schema and name of the table that has it, constraint name, definition, is validated
-- ("conenforced" exists since 18; before, every foreign key is enforced.)
select n.nspname, c.relname, k.conname, pg_get_constraintdef(k.oid), k.convalidated
  from pg_constraint k
  join pg_class c on c.oid = k.conrelid
  join pg_namespace n on n.oid = c.relnamespace
 where k.contype = 'f' and k.conparentid = 0 and $1::oid in (k.conrelid, k.confrelid)
   and coalesce((to_jsonb(k) ->> 'conenforced')::boolean, true)
 order by n.nspname, c.relname, k.conname
