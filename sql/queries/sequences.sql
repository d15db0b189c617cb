-- sequences: all but those of the system and repld's own, and which tables use them: as their
-- owner, by an identity column, in a default.
-- returns: oid, schema, name, increment, least value, greatest value, whether it cycles, whether we
--          may read it, whether we may set it; of the column that owns it schema, table and name,
-- null for none;
--          tables that use it (json array of [schema, name], a partition's topmost parent), null
-- for
--          none
with uses as (
  select d.objid as sequence, d.refobjid as relation, d.refobjsubid as owned
    from pg_depend d
   where d.classid = 'pg_class'::regclass and d.refclassid = 'pg_class'::regclass
     and d.deptype in ('a', 'i') and d.refobjsubid > 0
  union all
  select d.refobjid, f.adrelid, null
    from pg_depend d
    join pg_attrdef f on f.oid = d.objid
   where d.classid = 'pg_attrdef'::regclass and d.refclassid = 'pg_class'::regclass
)
select c.oid, n.nspname, c.relname, s.seqincrement, s.seqmin, s.seqmax, s.seqcycle,
       has_sequence_privilege(c.oid, 'select') and has_schema_privilege(n.oid, 'usage'),
       has_sequence_privilege(c.oid, 'update') and has_schema_privilege(n.oid, 'usage'),
       o.schema_name, o.table_name, o.column_name,
       (select json_agg(distinct jsonb_build_array(tn.nspname, t.relname))
          from uses u
          join pg_class t on t.oid = coalesce(pg_partition_root(u.relation)::oid, u.relation)
          join pg_namespace tn on tn.oid = t.relnamespace
         where u.sequence = c.oid)
  from pg_sequence s
  join pg_class c on c.oid = s.seqrelid
  join pg_namespace n on n.oid = c.relnamespace
  left join lateral (
    select tn.nspname as schema_name, t.relname as table_name, a.attname as column_name
      from uses u
      join pg_class t on t.oid = u.relation
      join pg_namespace tn on tn.oid = t.relnamespace
      join pg_attribute a on a.attrelid = t.oid and a.attnum = u.owned
     where u.sequence = c.oid
     limit 1) o on true
 where n.nspname not in ('repld', 'information_schema') and n.nspname !~ '^pg_'
 order by n.nspname, c.relname
