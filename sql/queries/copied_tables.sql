-- copied_tables: tables that a link replicates, with the last proof of each.
-- $1 link
-- returns: schema, name, oid on the source (0: unknown), rows, bytes, when they were copied (Unix
--          time, 0: unknown); of the proof when it was made, null for none; rows, rows of the target,
--          missing, extra, different; why it holds no longer and since when, null: it does; the shape
--          that was proven, null: unknown; newest row of it that is to be brought, 0: none; schema,
--          name that the target's table has now, null: it is gone
select t.schema_name, t.table_name, coalesce(t.source_oid, 0)::bigint, t.rows, t.bytes,
       coalesce(extract(epoch from t.copied_at), 0), extract(epoch from v.at), v.rows, v.target_rows,
       v.missing, v.extra, v.different, t.suspicion, t.suspected_at, t.proven_shape,
       coalesce((select max(r.id) from repld.refetch r
                  where r.link = t.link and r.schema_name = t.schema_name
                    and r.table_name = t.table_name), 0),
       n.nspname, c.relname
  from repld.table_state t
  left join pg_class c on c.oid = t.target_oid
  left join pg_namespace n on n.oid = c.relnamespace
  left join lateral (
    select *
      from repld.verification p
     where p.link = t.link and p.schema_name = t.schema_name and p.table_name = t.table_name
       and p.unproven is null
     order by p.id desc limit 1) v on true
 where t.link = $1 and t.state = 'copied'
 order by 1, 2
