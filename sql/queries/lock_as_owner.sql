-- lock_as_owner: keeps the progress row of a link as it is until the transaction ends, and marks the
-- transaction as ours, as repld.advance does.
-- $1 link  $2 owner (uuid)
-- returns: what lets the guard pass; no row when another session owns the link
select guard_nonce, pg_logical_emit_message(true, 'repld', link)
  from repld.progress where link = $1 and owner = $2::uuid for share
