-- target_columns: columns of a table, with the operator that says when two values are equal.
--
-- The operator is that of the type's default btree or hash operator class, looked up by oid, so
-- that types of extensions work whatever the search_path. Types without one (json, xml, point)
-- are compared by their text. The operator of enums does not know domains over them: such a column
-- is cast first, and its type is told as the enum, which every assignment takes.
-- $1 oid
-- returns: name, type without modifier, equality operator or null (what stands between two values,
--          the left one's cast included), is generated, identity is ALWAYS, array of the type that
--          unnest takes apart in FROM, or null (there is none for arrays, box puts another
--          delimiter than a comma, and composites come out as their fields), collation unless it is
--          the type's own (quoted), oid of the column's type, its modifier
with recursive base as (
  select a.attnum, a.atttypid as type
    from pg_attribute a where a.attrelid = $1::oid and a.attnum > 0 and not a.attisdropped
  union all
  select b.attnum, t.typbasetype from base b join pg_type t on t.oid = b.type where t.typtype = 'd'
)
select a.attname, format_type(case when t.typtype = 'e' then t.oid else a.atttypid end, -1),
       case
         when t.typtype = 'e' and t.oid <> a.atttypid
           then format('::%s operator(pg_catalog.=)', format_type(t.oid, -1))
         when own.operator is not null then own.operator
         when t.typtype in ('e', 'r', 'm') or t.oid in ('varchar'::regtype, 'cidr'::regtype)
           then 'operator(pg_catalog.=)'
         when t.typcategory = 'A' and (e.typtype = 'e' or exists (
                select from pg_opclass o
                 where o.opcdefault and o.opcintype in (e.oid, case when e.oid = 'varchar'::regtype
                                                                    then 'text'::regtype end)))
           then 'operator(pg_catalog.=)'
       end,
       a.attgenerated <> '', a.attidentity = 'a', format_type(own_array.oid, -1),
       case when a.attcollation <> told.typcollation then
         (select format('%I.%I', n.nspname, c.collname)
            from pg_collation c join pg_namespace n on n.oid = c.collnamespace
           where c.oid = a.attcollation)
       end,
       a.atttypid::bigint, a.atttypmod
  from base b
  join pg_type t on t.oid = b.type and t.typtype <> 'd'
  left join pg_type e on e.oid = t.typelem
  join pg_attribute a on a.attrelid = $1::oid and a.attnum = b.attnum
  join pg_type told on told.oid = case when t.typtype = 'e' then t.oid else a.atttypid end
  left join pg_type own_array on own_array.oid = told.typarray and told.typdelim = ','
                             and t.typtype <> 'c'
  left join lateral (
    select format('operator(%I.%s)', n.nspname, op.oprname) as operator
      from pg_opclass o
      join pg_am m on m.oid = o.opcmethod and m.amname in ('btree', 'hash')
      join pg_amop ao on ao.amopfamily = o.opcfamily and ao.amoplefttype = o.opcintype
                     and ao.amoprighttype = o.opcintype
                     and ao.amopstrategy = case m.amname when 'btree' then 3 else 1 end
      join pg_operator op on op.oid = ao.amopopr
      join pg_namespace n on n.oid = op.oprnamespace
     where o.opcdefault and o.opcintype = t.oid
     order by m.amname
     limit 1) own on true
 order by a.attnum
