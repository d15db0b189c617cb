-- renamed_tables: tables of a link that have another name by now. Where the link has guards they
-- bear one: an oid alone may be that of something else, on a target that was dumped and restored.
-- $1 link  $2 name of its guard triggers
-- returns: schema, name, as it is known; schema, name, as it is called; its oid; oid on the source
--          of a table that is known by that name and gone from the target (null: there is none)
with guarded as (
  select tgrelid from pg_trigger where tgname = $2 and tgfoid = 'repld.refuse_write()'::regprocedure
)
select s.schema_name, s.table_name, n.nspname, c.relname, c.oid::bigint,
       (select coalesce(o.source_oid, 0)::bigint
          from repld.table_state o
         where o.link = s.link and (o.schema_name, o.table_name) = (n.nspname, c.relname)
           and not exists (select from pg_class t where t.oid = o.target_oid))
  from repld.table_state s
  join pg_class c on c.oid = s.target_oid and c.relkind in ('r', 'p')
  join pg_namespace n on n.oid = c.relnamespace
 where s.link = $1 and (n.nspname, c.relname) <> (s.schema_name, s.table_name)
   and (c.oid in (select tgrelid from guarded) or not exists (select from guarded))
 order by 1, 2
