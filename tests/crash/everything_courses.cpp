#include "everything_courses.h"

#include <fmt/format.h>

#include <chrono>
#include <pqxx/pqxx>
#include <stdexcept>
#include <thread>
#include <utility>

#include "support/eventually.h"
#include "support/sample_databases.h"

namespace repld::testing {
namespace {

using namespace std::chrono_literals;

constexpr auto kPatience = 240s;
constexpr int kPauseMs = 1500;   // between rounds, and as much again at random
constexpr int kRoundsMax = 400;  // dropped columns and values of an enum never go away

constexpr const char* kColumnAdded = "column: added, on the target first";
constexpr const char* kColumnAddedByRepld = "column: added by repld";
constexpr const char* kColumnDropped = "column: dropped";
constexpr const char* kTypeWidened = "type: widened with a rewrite, on the target first";
constexpr const char* kTypeNarrowed = "type: narrowed with a rewrite";
constexpr const char* kEnumGrown = "type: value added to an enum, on the target first";
constexpr const char* kLeafMade = "leaf: made, with rows in the same transaction";
constexpr const char* kLeafAttached = "leaf: an empty table attached";
constexpr const char* kLeafDetached = "leaf: emptied and detached";
constexpr const char* kLeafDropped = "leaf: dropped on both sides";
constexpr const char* kCopied = "copy: rows that came by COPY";
constexpr const char* kLarge = "large: a transaction of some MB, in parts";

bool may_be_done_again(const std::string& sqlstate) {
  return sqlstate.starts_with("40") || sqlstate.starts_with("57P") || sqlstate.starts_with("08") ||
         sqlstate == "55P03" || sqlstate == "23505";
}

void insist(const std::string& dsn, const std::string& sql) {
  std::string last;
  const bool taken = eventually(kPatience, [&] {
    try {
      pqxx::connection connection(dsn);
      pqxx::nontransaction session(connection);
      session.exec("set lock_timeout = '1s'");
      session.exec(sql);
      return true;
    } catch (const pqxx::sql_error& error) {
      if (!may_be_done_again(error.sqlstate())) throw;
      last = error.what();
    } catch (const pqxx::failure& failure) {  // a lost connection, or one rolled back
      last = failure.what();
    }
    return false;
  });
  if (!taken) throw std::runtime_error("not taken in time: " + sql + ": " + last);
}

void insist_on_script(const std::string& dsn, const std::string& path) {
  const bool run = eventually(kPatience, [&] {
    try {
      run_script(dsn, path);
      return true;
    } catch (const std::runtime_error&) {
      return false;  // psql has told why
    }
  });
  if (!run) throw std::runtime_error("not taken in time: " + path);
}

struct NewColumn {
  std::string definition;
  const char* value;
};

NewColumn new_column(int round) {
  static const std::pair<const char*, const char*> kColumns[] = {
      {"int", "7"},
      {"text default 'it''s'", "''"},
      {"int[] default '{1,2}'", "'{NULL}'"},
      {"numeric(6,2) not null default 1.50", "2.5"},
      {"mood default 'so so'", "null"},
      {"text", "repeat('long', 900)"},
  };
  const auto& [type, value] = kColumns[static_cast<size_t>(round) % std::size(kColumns)];
  return {fmt::format("c{} {}", round, type), value};
}

// The source's half, which is the same whoever adds the column to the target: rows of the old
// shape and of the new one in one transaction.
void add_on_source(Crew& crew, const char* table, int round) {
  const NewColumn column = new_column(round);
  crew.on_source(
      fmt::format("update {0} set v = 'before' where id % 4 = {1} % 4; "
                  "alter table {0} add column if not exists {2}; "
                  "update {0} set c{1} = {3} where id % 3 = {1} % 3",
                  table, round, column.definition, column.value));
  crew.on_source(
      fmt::format("insert into {0} (id, v) values (100 + {1} % 50, 'new shape') "
                  "on conflict (id) do update set v = excluded.v, c{1} = {2}",
                  table, round, column.value));
}

void drop_column(Crew& crew, const char* table, int round) {
  crew.on_source(
      fmt::format("alter table {0} drop column if exists c{1}; "
                  "update {0} set v = 'after' where id % 4 = {1} % 4",
                  table, round));
  crew.await_copy();
  crew.on_target(fmt::format("alter table {} drop column if exists c{}", table, round));
  crew.done(kColumnDropped);
}

void columns_by_hand(Crew& crew, int round) {
  crew.on_target("alter table shaped add column if not exists " + new_column(round).definition);
  add_on_source(crew, "shaped", round);
  crew.done(kColumnAdded);
  crew.await_copy();
  drop_column(crew, "shaped", round);
}

void columns_by_repld(Crew& crew, int round) {
  add_on_source(crew, "grown", round);
  crew.await_copy();
  crew.done(kColumnAddedByRepld);
  drop_column(crew, "grown", round);
}

void types(Crew& crew, int round) {
  const std::string widen = fmt::format("alter table retyped alter n type {}, alter v type text",
                                        round % 2 == 0 ? "bigint" : "numeric");
  crew.on_target(widen);
  crew.on_source("update retyped set n = n + 1 where id < 9; " + widen +
                 "; update retyped set n = n - 1 where id < 9");
  crew.done(kTypeWidened);

  const std::string mood = fmt::format("'mood {}'", round);
  const std::string grow = "alter type mood add value if not exists " + mood;
  crew.on_target(grow);
  crew.on_source(grow);
  crew.on_source("update retyped set state = " + mood + " where id % 5 = 0; update kinds set " +
                 "states = array[" + mood + "]::mood[] where id % 50 = 0");
  crew.done(kEnumGrown);

  const std::string narrow = "alter table retyped alter n type int, alter v type varchar(20)";
  crew.on_source(narrow + "; update retyped set n = n + 1 where id < 9");
  crew.await_copy();
  crew.on_target(narrow);
  crew.done(kTypeNarrowed);
}

std::string leaf_of(int round) { return fmt::format("parted_w{}", round); }

void make_leaf(Crew& crew, int round) {
  const std::string leaf = leaf_of(round);
  const int low = 100 + 10 * round;
  const bool attach = round % 2 == 1;
  const std::string bounds = fmt::format("for values from ({}) to ({})", low, low + 10);
  crew.on_source(fmt::format(
      "do $$ begin if to_regclass('{}') is null then {} end if; end $$; "
      "insert into parted select i, {} + i % 10, 'born here' from generate_series(1, 20) i "
      "on conflict do nothing",
      leaf,
      attach ? fmt::format("create table {0} (v text, id int not null, k int not null); "
                           "alter table parted attach partition {0} {1};",
                           leaf, bounds)
             : fmt::format("create table {} partition of parted {};", leaf, bounds),
      low));
  crew.done(attach ? kLeafAttached : kLeafMade);
}

void leaves(Crew& crew, int round) {
  const std::string leaf = leaf_of(round);
  make_leaf(crew, round);
  crew.on_source(fmt::format(
      "update parted p set k = {0} where (id, k) in (select id, min(k) from parted where k < 30 "
      "and id % 5 = 0 group by id) and not exists (select from parted q where q.id = p.id and "
      "q.k = {0})",
      109 + 10 * round));
  crew.on_source("update " + leaf + " set v = 'moved' where k % 10 = 9");
  // One that is detached before the link has seen it stops the link (docs/architecture.md).
  crew.await_copy();
  crew.on_source(fmt::format(
      "do $$ begin if exists (select from pg_class where relname = '{0}' and relispartition) then "
      "{1}; alter table parted detach partition {0}; end if; end $$",
      leaf, crew.below(2) == 0 ? "truncate " + leaf : "delete from " + leaf));
  crew.done(kLeafDetached);
  crew.await_copy();
  crew.on_source("drop table if exists " + leaf);
  crew.on_target(fmt::format(
      "do $$ begin if exists (select from pg_class where relname = '{0}' and relispartition) then "
      "alter table parted detach partition {0}; end if; end $$; drop table if exists {0}",
      leaf));
  crew.done(kLeafDropped);
}

void copies(Crew& crew, int) {
  crew.script_on_source(std::string(REPLD_SOURCE_DIR) + "/tests/crash/everything_copy.sql");
  crew.done(kCopied);
}

void large(Crew& crew, int round) {
  if (round % 3 != 0) return;  // or nothing else is seen of the stream
  crew.on_source(fmt::format(
      "begin; delete from bulk where id % 2 = 0 or id < {0} - 3000; "
      "insert into bulk select i, 0, repeat(md5(i::text), 31) "
      "from generate_series({0} + 1, {0} + 3000) i on conflict (id) do update set n = -1; "
      "savepoint s; delete from bulk where id % 3 = 0; rollback to s; "
      "update bulk set n = n + 1 where id % 10 = 1; update bulk set id = -id where id % 99 = 1; "
      "commit",
      1000 + 3000 * round));
  crew.done(kLarge);
}

}  // namespace

Crew::Crew(std::string source_dsn, std::string target_dsn, std::string name, uint64_t seed)
    : source_dsn_(std::move(source_dsn)),
      target_dsn_(std::move(target_dsn)),
      name_(std::move(name)),
      dice_(seed) {}

void Crew::on_source(const std::string& sql) { insist(source_dsn_, sql); }

void Crew::script_on_source(const std::string& path) { insist_on_script(source_dsn_, path); }

void Crew::on_target(const std::string& sql) { insist(target_dsn_, sql); }

void Crew::await_copy() {
  const std::string mark = fmt::format("'{} {}'", name_, marks_++);
  on_source("insert into marks values (" + mark + ") on conflict do nothing");
  const bool arrived = eventually(kPatience, [&] {
    try {
      pqxx::connection connection(target_dsn_);
      return !pqxx::nontransaction(connection).exec("select from marks where id = " + mark).empty();
    } catch (const pqxx::failure&) {
      return false;  // the server restarts
    }
  });
  if (!arrived) throw std::runtime_error("does not arrive on the target: " + mark);
}

const std::vector<Course>& everything_courses() {
  static const std::vector<Course> kCourses = {
      {"columns by hand", {kColumnAdded, kColumnDropped}, columns_by_hand},
      {"columns by repld", {kColumnAddedByRepld, kColumnDropped}, columns_by_repld},
      {"types", {kTypeWidened, kTypeNarrowed, kEnumGrown}, types},
      {"leaves", {kLeafMade, kLeafAttached, kLeafDetached, kLeafDropped}, leaves},
      {"copies", {kCopied}, copies},
      {"large", {kLarge}, large},
  };
  return kCourses;
}

void run_course(const Course& course, Crew& crew, const std::atomic<bool>& stop) {
  for (int round = 0; round < kRoundsMax; round++) {
    course.run(crew, round);
    const auto pause = std::chrono::milliseconds(kPauseMs + crew.below(kPauseMs));
    const bool stopped = eventually(pause, [&] { return stop.load(); });
    if (stopped && round > 0) return;
  }
}

}  // namespace repld::testing
