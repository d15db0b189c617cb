-- foreign_key_ends: which tables the foreign keys of a database lead from and to; of partitions the
-- topmost parent.
-- returns: constraint; schema and name of the table that has it; of the one it references
select k.conname, fn.nspname, f.relname, tn.nspname, t.relname
  from pg_constraint k
  join pg_class f on f.oid = coalesce(pg_partition_root(k.conrelid)::oid, k.conrelid)
  join pg_namespace fn on fn.oid = f.relnamespace
  join pg_class t on t.oid = coalesce(pg_partition_root(k.confrelid)::oid, k.confrelid)
  join pg_namespace tn on tn.oid = t.relnamespace
 where k.contype = 'f' and k.conparentid = 0
 order by 2, 3, 1
