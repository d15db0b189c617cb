-- target_deferrable: unique and exclusion constraints of a table that may be checked at commit.
-- $1 oid
-- returns: quoted and qualified name, as SET CONSTRAINTS takes it
select format('%I.%I', n.nspname, c.conname)
  from pg_constraint c join pg_namespace n on n.oid = c.connamespace
 where c.conrelid = $1::oid and c.condeferrable and c.contype in ('p', 'u', 'x')
 order by c.conname
