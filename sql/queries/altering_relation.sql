-- altering_relation: whether a transaction holds a lock that DDL takes and a write does not, on the
-- partitioned tables above a relation or on itself. Locks are released only after the commit is
-- shown to all.
-- $1 oid of the relation  $2 xid of the transaction (text)  $3 whether itself counts
-- returns: a row when it does
select
  from pg_locks x
  join pg_locks l on l.virtualtransaction = x.virtualtransaction
 where x.locktype = 'transactionid' and x.granted and x.mode = 'ExclusiveLock'
   and x.transactionid = $2::text::xid
   and l.locktype = 'relation' and l.granted
   and l.database = (select oid from pg_database where datname = current_database())
   and l.mode not in ('AccessShareLock', 'RowShareLock', 'RowExclusiveLock')
   and case when l.relation = $1::oid then $3::bool
            else l.relation in (select relid from pg_partition_ancestors($1::oid)) end
 limit 1
