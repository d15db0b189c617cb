-- user_rules: rules that would rewrite our writes to these relations.
-- $1 oids
-- returns: schema, table, name, ev_enabled
select n.nspname, c.relname, r.rulename, r.ev_enabled::text
  from pg_rewrite r
  join pg_class c on c.oid = r.ev_class
  join pg_namespace n on n.oid = c.relnamespace
 where r.ev_class = any ($1::oid[]) and r.ev_type <> '1' and r.ev_enabled <> 'D'
 order by n.nspname, c.relname, r.rulename
