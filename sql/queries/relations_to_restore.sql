-- relations_to_restore: relations of a link with a guard or with triggers in the journal; also
-- those that are gone meanwhile.
-- $1 link  $2 names of the guard's triggers (text[])
-- returns: schema, name; a root before its partitions
with relation as (
  select schema_name, table_name
    from repld.set_aside
   where link = $1 and kind = 'trigger'
  union
  select n.nspname, c.relname
    from pg_trigger t
    join pg_class c on c.oid = t.tgrelid
    join pg_namespace n on n.oid = c.relnamespace
   where t.tgfoid = 'repld.refuse_write()'::regprocedure and t.tgname = any ($2::text[])
)
select r.schema_name, r.table_name
  from relation r
  left join pg_namespace n on n.nspname = r.schema_name
  left join pg_class c on c.relnamespace = n.oid and c.relname = r.table_name
 order by (select count(*) from pg_partition_ancestors(c.oid)), r.schema_name, r.table_name
