-- type_parts: types taken apart down to those that read and print what a value is made of.
-- $1 oids of types (array)  $2 their modifiers (array)
-- returns: type oid, modifier, the type as DDL writes it, path of the part ('' the value itself,
--          [] an element, .n the n-th field, .. the bounds of a range), the part's type with
--          modifier; no row for a type that is gone
with recursive part as (
  select c.type as of_type, c.modifier as of_modifier, '' as path, c.type, c.modifier
    from unnest($1::oid[], $2::int[]) c(type, modifier)
  union all
  select p.of_type, p.of_modifier, p.path || i.step, i.type, i.modifier
    from part p
    join pg_type t on t.oid = p.type
   cross join lateral (
     select '' as step, t.typbasetype as type, t.typtypmod as modifier where t.typtype = 'd'
     union all
     select '[]', e.oid, p.modifier
       from pg_type e where e.oid = t.typelem and e.typarray = t.oid
     union all
     select '.' || row_number() over (order by a.attnum), a.atttypid, a.atttypmod
       from pg_attribute a
      where t.typtype = 'c' and a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped
     union all
     select '..', r.rngsubtype, -1
       from pg_range r
      where t.typtype in ('r', 'm') and t.oid in (r.rngtypid, r.rngmultitypid)) i
)
select p.of_type::bigint, p.of_modifier, format_type(p.of_type, p.of_modifier), p.path,
       format_type(p.type, p.modifier)
  from part p
  join pg_type t on t.oid = p.type
 where t.typtype not in ('d', 'c', 'r', 'm')
   and not exists (select from pg_type e where e.oid = t.typelem and e.typarray = t.oid)
 order by p.path
