-- foreign_keys: foreign keys that start or end at these relations and would act on our writes;
-- those inherited from a parent go with it. Those that the user left NOT ENFORCED (PostgreSQL 18) stay.
-- $1 oids  $2 link
-- returns: schema and name of the table that has it, constraint name, definition
-- An earlier version left its own NOT ENFORCED, and a restoration that was cut off left them NOT
-- VALID: of these the journal has the true definition.
select n.nspname, c.relname, k.conname,
       case when not e.enforced or (s.how = 'validate' and not k.convalidated)
            then s.definition else pg_get_constraintdef(k.oid) end
  from pg_constraint k
  join pg_class c on c.oid = k.conrelid
  join pg_namespace n on n.oid = c.relnamespace
 cross join lateral (select coalesce((to_jsonb(k) ->> 'conenforced')::boolean, true) as enforced) e
  left join repld.set_aside s
    on s.link = $2 and s.kind = 'foreign_key' and s.schema_name = n.nspname
   and s.table_name = c.relname and s.name = k.conname
 where k.contype = 'f' and k.conparentid = 0
   and (k.conrelid = any ($1::oid[]) or k.confrelid = any ($1::oid[]))
   and (e.enforced or s.how = 'not_enforced')
 order by n.nspname, c.relname, k.conname
