-- user_rules: rules that would rewrite our writes to a table.
-- $1 oid
-- returns: name, ev_enabled
select r.rulename, r.ev_enabled::text
  from pg_rewrite r
 where r.ev_class = $1::oid and r.ev_type <> '1' and r.ev_enabled <> 'D'
 order by r.rulename
