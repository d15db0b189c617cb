-- sequence_values: how far the sequences of some tables have come: their own, those of their identity
-- columns, those in their defaults.
-- $1 tables, quoted and qualified (text[])
-- returns: schema, name, increment, last value (one before the first where none was taken; null: we
--          may not read it)
with tables as (
  select to_regclass(name) as oid from unnest($1::text[]) name
)
select n.nspname, c.relname, s.seqincrement,
       case when has_sequence_privilege(c.oid, 'select') or has_sequence_privilege(c.oid, 'usage')
            then coalesce(pg_sequence_last_value(c.oid),
                          least(greatest(s.seqstart::numeric - s.seqincrement,
                                         -9223372036854775807), 9223372036854775807)) end::bigint
  from pg_sequence s
  join pg_class c on c.oid = s.seqrelid
  join pg_namespace n on n.oid = c.relnamespace
 where exists (select from pg_depend d join tables t on t.oid = d.refobjid
                where d.classid = 'pg_class'::regclass and d.objid = c.oid
                  and d.refclassid = 'pg_class'::regclass and d.deptype in ('a', 'i'))
    or exists (select from pg_depend d join pg_attrdef f on f.oid = d.objid
                join tables t on t.oid = f.adrelid
                where d.classid = 'pg_attrdef'::regclass and d.refclassid = 'pg_class'::regclass
                  and d.refobjid = c.oid)
 order by 1, 2
