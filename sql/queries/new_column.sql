-- new_column: how ALTER TABLE adds a column like this one so that existing rows have the value that
-- they have here, in a plain table or in all leaves of a partitioned one. That value is known when
-- the server keeps it beside the rows (it was constant), or when nothing can have given one: no
-- default, and the file is the first that the relation got, so that nothing was rewritten. A column
-- that is older than one which the target has was renamed, not added.
-- $1 oid of the relation  $2 column  $3 oid of its type  $4 columns that the target has
-- returns: type, collation as a clause or '', value of existing rows as text or null; no row: the
--          value is not known, not the same in all leaves, or the column is not what it was
with leaf as (
  select c.oid, c.relfilenode
    from (select $1::oid as relid
           union
          select relid from pg_partition_tree(coalesce(pg_partition_root($1::oid), $1::oid))) r
    join pg_class c on c.oid = r.relid
   where c.relkind = 'r'
), known as (
  select l.oid, format_type(a.atttypid, a.atttypmod) as type,
         case when a.attcollation <> t.typcollation
              then format(' collate %I.%I', cn.nspname, c.collname) else '' end as collating,
         case when a.atthasmissing then (a.attmissingval::text::text[])[1] end as kept
    from leaf l
    join pg_attribute a on a.attrelid = l.oid
    join pg_type t on t.oid = a.atttypid
    left join pg_collation c on c.oid = a.attcollation
    left join pg_namespace cn on cn.oid = c.collnamespace
   where a.attname = $2 and a.atttypid = $3::oid and not a.attisdropped
     and a.attidentity = '' and a.attgenerated = ''
     and a.attnum > all (select k.attnum from pg_attribute k
                          where k.attrelid = a.attrelid and k.attname = any ($4::text[])
                            and not k.attisdropped)
     and not exists (select from pg_inherits i join pg_class p on p.oid = i.inhparent
                      where i.inhparent = l.oid or i.inhrelid = l.oid and p.relkind = 'r')
     and (a.atthasmissing and t.typdelim = ','
          or not a.atthasmissing and not a.atthasdef and not a.attnotnull and t.typtype <> 'd'
             and l.relfilenode = l.oid)
)
select min(type), min(collating), min(kept)
  from known
having count(*) = (select count(*) from leaf)
   and count(distinct (type, collating, kept is null, coalesce(kept, ''))) = 1
