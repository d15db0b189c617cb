#include "everything_changes.h"

namespace repld::testing {
namespace {

using demo::Operation;

std::vector<Operation> types() {
  return {
      {"types: row of all", 4, false,
       "insert into kinds select s.* from sample(@n) s on conflict do nothing"},
      {"types: every column changed", 3, false, "select resample(@n)"},
      {"types: large values left alone", 4, false, R"sql(
    update kinds set flag = not flag, note = nullif('@n', ''), ints = array[@n, null]
     where id = (select id from kinds where length(packed) > 5000 and length(apart) > 4000
                  order by (id + @n) % 150 limit 1))sql"},
      {"types: large value replaced", 2, false, R"sql(
    update kinds set packed = noise(@n), n = 'NaN' where id = @pick(kinds.id))sql"},
      {"types: large value appended to", 1, false, R"sql(
    update kinds set apart = left(apart, 6000) || 'x' where id = @pick(kinds.id))sql"},
      {"types: emptied and made NULL", 2, false, R"sql(
    update kinds set note = '', jb = null, packed = '', apart = null, texts = '{}', hs = null
     where id = @pick(kinds.id))sql"},
      {"types: row deleted", 2, false, "delete from kinds where id = @pick(kinds.id)"},
      {"types: key of many types, new", 2, false, R"sql(
    insert into odd_keys values ('N' || @n, int4range(1, 2 + @n % 9), array[1, null, @n % 9],
                                 'sad', @n / 100.0, 0) on conflict do nothing)sql"},
      {"types: key of many types, found", 3, false, R"sql(
    update odd_keys set n = n + 1
     where ctid = (select ctid from odd_keys order by (n + @n) % 97, ci limit 1
                      for update skip locked))sql"},
      {"types: key of many types, changed", 2, false, R"sql(
    update odd_keys set ci = upper(ci::text), amount = amount + 1, during = 'empty'
     where ctid = (select ctid from odd_keys order by ci desc limit 1 for update skip locked))sql"},
      {"types: key of many types, deleted", 1, false, R"sql(
    delete from odd_keys where ctid = (select min(ctid) from odd_keys))sql"},
  };
}

std::vector<Operation> keys() {
  return {
      {"key: new row", 2, false, R"sql(
    insert into chains values (@n % 40, 'n@n', '', null), (@n % 40, 'm@n', null, '')
      on conflict do nothing)sql"},
      {"key: changed, large value left alone", 3, false, R"sql(
    update chains set b = 'to @n' where ctid = (select ctid from chains where b <> 'k' or a > 30
                                                 order by (a + @n) % 41 limit 1))sql"},
      {"key: changed and changed back", 1, false, R"sql(
    update chains set b = 'away' where a = 5 and b = 'k';
    update chains set b = 'k', v = '@n' where a = 5 and b = 'away')sql"},
      {"key: two change places by a third", 3, false, "select chain_keys(@n)"},
      {"key: many at once", 1, false, R"sql(
    update chains set b = b || '+' where b <> 'k' and length(b) < 15 and a % 5 = @n % 5)sql"},
      {"key: row deleted and made again", 1, false, R"sql(
    delete from chains where a = 7 and b = 'k'; insert into chains values (7, 'k', '@n', ''))sql"},
      {"key: row deleted", 2, false,
       "delete from chains where b <> 'k' and a = (select max(a) from chains where b <> 'k')"},
      {"key: deferrable, identity by index, swapped", 2, false, R"sql(
    with n as (select 1 + @n % 20 as a, 21 + @n % 20 as b)
    update swaps set id = n.a + n.b - id from n where id in (n.a, n.b))sql"},
      {"key: identity by index, changed", 2, false, R"sql(
    update swaps set place = (select max(place) + 1 from swaps)
     where place = @pick(swaps.place))sql"},
      {"key: identity by index, row replaced", 1, false, R"sql(
    delete from swaps where id = 11; insert into swaps select 11, max(place) + 1 from swaps)sql"},
      {"key: deferrable, identity full, all shifted", 2, false,
       "update swaps_full set id = 31 - id, v = '@n'"},
      {"key: deferrable, identity full, two steps", 1, false, R"sql(
    update swaps_full set id = 2 where id = 1;
    update swaps_full set id = 1
     where ctid = (select min(ctid) from swaps_full where id = 2))sql"},
      {"unique: swapped in a transaction", 3, false, "select swap_codes(@n % 40, @n % 40)"},
      {"unique: given up", 3, false,
       "update uniques set code = null, during = 'empty' where id = @n % 40 and code is not null"},
      {"unique: taken by another row", 4, false, R"sql(
    with n as (select i from generate_series(0, 39) i
                where not exists (select from uniques where code = 'c' || i)
                  and not exists (select from uniques where during && int4range(i * 10, i * 10 + 5))
                order by (i + @n) % 40 limit 1)
    update uniques set code = 'c' || n.i, during = int4range(n.i * 10, n.i * 10 + 5) from n
     where id = (select id from uniques where code is null order by (id + @n) % 40 limit 1))sql"},
      {"unique: all change places, deferred", 1, false, "update uniques set rank = 39 - rank"},
      {"unique: inherited by a new row", 2, false, "select inherit_code(@n)"},
  };
}

std::vector<Operation> identities() {
  return {
      {"full: large value left alone", 3, false, R"sql(
    update fulls set v = '@n' where id = (select id from fulls where length(big) > 4000
                                           order by (id + @n) % 41 limit 1))sql"},
      {"full: key changed", 1, false, R"sql(
    update fulls set id = (select max(id) + 1 from fulls) where id = @pick(fulls.id))sql"},
      {"full: upsert", 2, false, R"sql(
    insert into fulls values (@n % 60, 'new', repeat('@n', 800))
      on conflict (id) do update set v = 'upsert @n')sql"},
      {"full: merge", 2, false, R"sql(
    merge into fulls f using (select @n % 60 as id) s on f.id = s.id
     when matched and s.id % 7 = 0 then delete
     when matched then update set v = null, big = 'm' || big
     when not matched then insert values (s.id, '', repeat('m', 5000)))sql"},
      {"identity: changed to full", 1, true, "alter table chains replica identity full"},
      {"identity: changed to the key", 1, true, "alter table chains replica identity default"},
      {"keyless: rows, NULLs among them", 3, false, R"sql(
    insert into keyless values (@n % 5, null, '', '{"a":1}'), (null, null, null, null),
                               (@n % 5, 'NaN', null, '[1,  2]'))sql"},
      {"keyless: duplicates", 2, false, R"sql(
    insert into keyless select * from keyless where a = @n % 5 limit 2)sql"},
      {"keyless: one of equal rows changed", 3, false, R"sql(
    update keyless set b = 1.00, c = 'y'
     where ctid = (select min(ctid) from keyless where a = @n % 5))sql"},
      {"keyless: one of equal rows deleted", 5, false, R"sql(
    delete from keyless where ctid in (select ctid from keyless where a is not distinct from
                                         nullif(@n % 5, 4) limit 2))sql"},
      {"keyless: many rows at once", 1, false, R"sql(
    update keyless set c = coalesce(c, '') || '!' where length(c) < 6 and a = @n % 5)sql"},
      {"identity column: ALWAYS, and a generated one", 3, false,
       "insert into numbered (n, v) values (@n, '')"},
      {"identity column: overriding system value", 1, false, R"sql(
    insert into numbered (id, n) overriding system value values (1000000 + @n, null)
      on conflict do nothing)sql"},
      {"generated column: changed", 2, false,
       "update numbered set n = @n where id = @pick(numbered.id)"},
      {"identity column: row deleted", 2, false, R"sql(
    delete from numbered where id in (select id from numbered order by id limit 1))sql"},
  };
}

std::vector<Operation> partitions() {
  return {
      {"partition: row through the root", 3, false, R"sql(
    insert into parted values (@n, @n % 30, '') on conflict do nothing)sql"},
      {"partition: row into the leaf itself", 1, false, R"sql(
    insert into parted_2 (id, k, v) values (@n, 20 + @n % 10, null) on conflict do nothing)sql"},
      {"partition: rows move to another leaf", 3, false, R"sql(
    update parted set k = (k + 10) % 30, v = '@n'
     where id = @pick(parted.id) and k < 30)sql"},
      {"partition: many rows, some move", 1, false, R"sql(
    update parted set k = (k + 5) % 30 where k < 30 and id % 11 = @n % 11)sql"},
      {"partition: row changed", 2, false,
       "update parted set v = 'v@n' where id = @pick(parted.id)"},
      {"partition: rows deleted", 2, false, "delete from parted where id % 17 = @n % 17"},
      {"partition: TRUNCATE of a leaf", 1, true, R"sql(
    insert into parted_1 values (@n, 11, 'gone') on conflict do nothing; truncate parted_1)sql"},
      {"partition: TRUNCATE of the root", 1, true, R"sql(
    truncate parted;
    insert into parted select i, i % 30, 'again' from generate_series(1, 60) i)sql"},
      {"other layout: row", 2, false,
       "insert into dealt values (@n, @n % 4, '') on conflict do nothing"},
      {"other layout: rows move", 2, false,
       "update dealt set k = (k + 1) % 4 where id = @pick(dealt.id)"},
      {"other layout: rows deleted", 1, false, "delete from dealt where id % 13 = @n % 13"},
      {"inheritance: row of the parent", 1, false,
       "insert into parents values (@n, 'p') on conflict do nothing"},
      {"inheritance: row of the child", 1, false,
       "insert into children values (@n, 'c', @n) on conflict do nothing"},
      {"inheritance: both changed through the parent", 2, false,
       "update parents set v = '@n' where id % 7 = @n % 7"},
      {"inheritance: deleted from the child", 1, false,
       "delete from children where id = (select max(id) from children)"},
      {"inheritance: TRUNCATE of the parent alone", 1, true, R"sql(
    truncate only parents; insert into parents select i, 'v' from generate_series(1, 9) i)sql"},
  };
}

std::vector<Operation> references() {
  return {
      {"truncate: rows for it", 3, false, R"sql(
    insert into cut_a (n) values (@n), (1); insert into cut_c (n) values (@n);
    insert into cut_b (a_id, n) select max(id), @n from cut_a)sql"},
      {"truncate: two tables, RESTART IDENTITY", 1, true, R"sql(
    insert into cut_c (n) values (@n); truncate cut_b, cut_c restart identity;
    insert into cut_c (n) values (@n))sql"},
      {"truncate: CASCADE", 1, true, R"sql(
    update cut_b set n = n + 1; truncate cut_a cascade;
    insert into cut_a (n) values (@n), (2))sql"},
      {"truncate: several, CASCADE and RESTART IDENTITY", 1, true, R"sql(
    truncate cut_c, cut_a restart identity cascade; insert into cut_a (n) values (@n))sql"},
      {"reference: rows", 3, false, R"sql(
    insert into owners values (@n % 60, 'new') on conflict do nothing;
    insert into pets select 1000 + @n, 'p', @pick(owners.id) on conflict do nothing;
    insert into toys select 1000 + @n, @pick(pets.id) on conflict do nothing)sql"},
      {"reference: ON DELETE CASCADE", 1, false, R"sql(
    delete from owners where id = (select owner from pets order by (owner + @n) % 61 limit 1))sql"},
      {"reference: ON DELETE SET NULL", 2, false, R"sql(
    delete from pets where id = (select pet from toys where pet is not null
                                  order by (pet + @n) % 97 limit 1))sql"},
      {"reference: ON UPDATE CASCADE", 1, false, R"sql(
    update owners set id = (select max(id) + 1 from owners)
     where id = (select owner from pets order by (owner + @n) % 61 limit 1))sql"},
      {"reference: orphans cleared away", 1, false, "delete from toys where pet is null"},
      {"account: moved", 12, false, R"sql(
    with m as (select @n % 201 - 100 as amount),
         c as (update cash_accounts c set amount = c.amount - m.amount from m
                where id = 1 + @n % 50 returning 1)
    update card_accounts c set amount = c.amount + m.amount from m where id = 1 + @n % 50)sql"},
      {"altered tables: rows", 4, false, R"sql(
    update shaped set v = '@n' where id = @pick(shaped.id);
    update grown set v = '@n' where id = @pick(grown.id);
    insert into retyped values (31 + @n % 30, @n, '@n', (enum_range(null::mood))[1 + @n % 3])
      on conflict (id) do update set n = excluded.n;
    update retyped set state = (enum_range(null::mood))
                               [1 + @n % cardinality(enum_range(null::mood))]
     where id = @pick(retyped.id))sql"},
      {"altered tables: rows deleted and made again", 1, false, R"sql(
    delete from shaped where id = 3; insert into shaped (id, v) values (3, '@n');
    delete from grown where id = 3; insert into grown (id, v) values (3, '@n'))sql"},
      {"message: of another program", 1, false,
       "select count(pg_logical_emit_message(true, 'other program', '@n')) "
       "where pg_logical_emit_message(false, 'other program', '') is not null"},
  };
}

}  // namespace

std::vector<Operation> everything_changes() {
  std::vector<Operation> all;
  for (const auto& part : {types(), keys(), identities(), partitions(), references()}) {
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

}  // namespace repld::testing
