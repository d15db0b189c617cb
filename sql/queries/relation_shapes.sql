-- relation_shapes: what tables of the source are made of. Another text than before: something about
-- a table changed in a way that may have streamed nothing (ADD COLUMN .. DEFAULT, a rewrite, a
-- partition that was attached with its rows, or detached and attached again).
-- $1 tables (oid[])
-- returns: oid, shape
with recursive tree as (
  select o as root, o as node, '0'::xid as entry from unnest($1::oid[]) o
  union all
  select t.root, i.inhrelid, i.xmin
    from tree t
    join pg_class p on p.oid = t.node and p.relkind = 'p'
    join pg_inherits i on i.inhparent = t.node
)
select t.root::bigint,
       hashtextextended(string_agg(concat_ws(' ', t.node, t.entry, c.relfilenode, a.columns), ', '
                                   order by t.node), 0)::text
  from tree t
  join pg_class c on c.oid = t.node
  left join lateral (
    select string_agg(concat_ws(' ', attnum, attname, atttypid, atttypmod, attcollation, attgenerated), ', ' order by attnum)
             as columns
      from pg_attribute
     where attrelid = c.oid and attnum > 0 and not attisdropped) a on true
 group by t.root
