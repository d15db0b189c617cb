-- published_leaves: what each of some publications says of every table, as pgoutput reads the
-- catalogs; a row per leaf (a plain table is its own leaf) and publication. A partitioned root has
-- rows of its own too, so that it is known before it has a partition.
--
-- A publication publishes a leaf when it lists the leaf or a parent of it, or their schema, or
-- everything. With publish_via_partition_root the changes come under the name of the topmost
-- parent so listed, and the filter and columns of that one's entry count; else the leaf's own.
-- Partitions whose changes are in no WAL, unlogged or foreign ones, are published by none. Tables that
-- belong to an extension are left out, as they are in source_tables.
-- $1 names of the publications (json array)
-- returns: root oid, schema, name; leaf oid, schema, name; is a leaf, columns of its replica
--          identity (json, null: none). Then, null where none publishes it: name of the
--          publication, entry (another one when the table left and came back), level (how far
--          above the leaf is the relation under whose name it comes), has a column list, columns
--          that come (json), generated columns that come (json), row filter, publishes insert,
--          update, delete, truncate
with recursive tree as (
  select c.oid as leaf, c.oid as node, c.relnamespace as schema, 0 as level
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
   where (c.relkind = 'r' or (c.relkind = 'f' and c.relispartition)
          or (c.relkind = 'p' and not c.relispartition))
     and n.nspname not in ('information_schema', 'repld') and n.nspname not like 'pg\_%'
     and not exists (select from pg_depend d
                      where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
  union all
  select t.leaf, i.inhparent, p.relnamespace, t.level + 1
    from tree t
    join pg_class c on c.oid = t.node and c.relispartition
    join pg_inherits i on i.inhrelid = t.node
    join pg_class p on p.oid = i.inhparent
), publication as (
  select p.*, coalesce(to_jsonb(p) ->> 'pubgencols', 'n') as generated
    from pg_publication p
   where p.pubname in (select json_array_elements_text($1::json))
), member as (
  select t.leaf, t.level, p.oid as publication, p.oid as entry
    from tree t join publication p on p.puballtables
  union all
  select t.leaf, t.level, p.oid, r.oid
    from tree t join pg_publication_rel r on r.prrelid = t.node
    join publication p on p.oid = r.prpubid
  union all
  select t.leaf, t.level, p.oid, s.oid
    from tree t join pg_publication_namespace s on s.pnnspid = t.schema
    join publication p on p.oid = s.pnpubid
), published as (
  select m.leaf, p.oid as publication, p.pubname, p.puballtables, p.pubinsert, p.pubupdate,
         p.pubdelete, p.pubtruncate, p.generated,
         format('%s/%s', p.oid, (array_agg(m.entry order by m.level desc, m.entry))[1]) as entry,
         case when p.pubviaroot then max(m.level) else 0 end as level
    from member m join publication p on p.oid = m.publication
   group by m.leaf, p.oid, p.pubname, p.puballtables, p.pubinsert, p.pubupdate, p.pubdelete,
            p.pubtruncate, p.generated, p.pubviaroot
)
select r.oid::bigint, rn.nspname, r.relname, l.oid::bigint, ln.nspname, l.relname, l.relkind in ('r', 'f'),
       i.columns, p.pubname, p.entry, p.level, e.prattrs is not null, c.plain, c.generated,
       case when not exists (select from pg_publication_namespace s
                              where s.pnpubid = p.publication and s.pnnspid = a.schema)
            then pg_get_expr(e.prqual, e.prrelid) end,
       p.pubinsert, p.pubupdate, p.pubdelete, p.pubtruncate
  from tree t
  join pg_class l on l.oid = t.leaf
  join pg_namespace ln on ln.oid = l.relnamespace
  join pg_class r on r.oid = coalesce(pg_partition_root(t.leaf)::oid, t.leaf)
                 and r.relpersistence = 'p'
  join pg_namespace rn on rn.oid = r.relnamespace
  left join published p on p.leaf = t.leaf and l.relkind <> 'f' and l.relpersistence = 'p'
  left join tree a on a.leaf = p.leaf and a.level = p.level
  left join pg_publication_rel e on e.prpubid = p.publication and e.prrelid = a.node
                                and not p.puballtables
  left join lateral (
    select json_agg(x.attname order by x.attname) filter (where x.attgenerated = '') as plain,
           json_agg(x.attname order by x.attname) filter (where x.attgenerated <> '') as generated
      from pg_attribute x
     where x.attrelid = a.node and x.attnum > 0 and not x.attisdropped
       and case when e.prattrs is not null then x.attnum = any (e.prattrs::int2[])
                else x.attgenerated = '' or x.attgenerated = p.generated end) c on true
  left join lateral (
    select json_agg(x.attname order by x.attname) as columns
      from pg_attribute x
     where x.attrelid = l.oid and x.attnum > 0 and not x.attisdropped
       and case l.relreplident
             when 'f' then x.attgenerated = ''
             when 'n' then false
             else exists (select from pg_index k
                           where k.indrelid = l.oid and k.indisvalid and k.indimmediate
                             and x.attnum = any (k.indkey::int2[])
                             and case l.relreplident when 'i' then k.indisreplident
                                                     else k.indisprimary end)
           end) i on true
 where t.level = 0
 order by rn.nspname, r.relname, ln.nspname, l.relname, p.pubname
