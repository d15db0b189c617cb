-- renamed_tables: tables of a link that have another name by now.
-- $1 link
-- returns: schema, name, as it is known; schema, name, as it is called; its oid; oid on the source
--          of a table that is known by that name and gone from the target (null: there is none)
select s.schema_name, s.table_name, n.nspname, c.relname, c.oid::bigint,
       (select coalesce(o.source_oid, 0)::bigint
          from repld.table_state o
         where o.link = s.link and (o.schema_name, o.table_name) = (n.nspname, c.relname)
           and not exists (select from pg_class t where t.oid = o.target_oid))
  from repld.table_state s
  join pg_class c on c.oid = s.target_oid
  join pg_namespace n on n.oid = c.relnamespace
 where s.link = $1 and (n.nspname, c.relname) <> (s.schema_name, s.table_name)
 order by 1, 2
