-- altering_relation: whether a transaction holds a lock on a relation that DDL takes and a write does
-- not. Locks are released only after the commit is shown to all.
-- $1 oid of the relation  $2 xid of the transaction (text)
-- returns: a row when it does
select
  from pg_locks x
  join pg_locks l on l.virtualtransaction = x.virtualtransaction
 where x.locktype = 'transactionid' and x.granted and x.mode = 'ExclusiveLock'
   and x.transactionid = $2::text::xid
   and l.locktype = 'relation' and l.granted and l.relation = $1::oid
   and l.database = (select oid from pg_database where datname = current_database())
   and l.mode not in ('AccessShareLock', 'RowShareLock', 'RowExclusiveLock')
 limit 1
