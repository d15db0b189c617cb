-- new_column: a column of the source as the target is to add it.
--
-- What rows had that were there before the column is in no stream. They are known only while the
-- catalog keeps one value for them all (PostgreSQL, "pg_attribute.attmissingval"), which it does
-- from ADD COLUMN with a default that is constant until the table is rewritten; or when the column
-- has had no default, so that they have NULL.
-- $1 oid of the relation   $2 column
-- returns: type with modifier, collation unless it is the type's own (quoted) or null,
--          value of the rows before as text or null, whether that value is known, whether the
--          column has a default still
select format_type(a.atttypid, a.atttypmod),
       case when a.attcollation <> t.typcollation then
         (select format('%I.%I', n.nspname, c.collname)
            from pg_collation c join pg_namespace n on n.oid = c.collnamespace
           where c.oid = a.attcollation)
       end,
       (a.attmissingval::text::text[])[1],
       case when a.atthasmissing then t.typdelim = ',' and not a.attmissingval is null
            else not a.atthasdef and a.attidentity = '' end,
       a.atthasdef
  from pg_attribute a join pg_type t on t.oid = a.atttypid
 where a.attrelid = $1::oid and a.attname = $2 and a.attnum > 0 and not a.attisdropped
   and a.attgenerated = ''
