#include "everything_writer.h"

#include <algorithm>
#include <cstdio>
#include <stdexcept>
#include <thread>
#include <utility>

#include "support/eventually.h"

namespace repld::testing {
namespace {

using namespace std::chrono_literals;
using demo::Operation;

constexpr auto kPause = 60ms;  // between two transactions
constexpr int kChangesMax = 4;
constexpr int kPreparedOpenMsMax = 2500;

// Taken by another session: keys, ranges, locks, a referenced row, a leaf.
bool is_conflict(const std::string& sqlstate) {
  constexpr const char* kConflicts[] = {"55P03", "23503", "23505", "23P01", "23514"};
  return sqlstate.starts_with("40") ||
         std::count(std::begin(kConflicts), std::end(kConflicts), sqlstate) > 0;
}

bool goes_down(const std::string& sqlstate) {
  return sqlstate.starts_with("57P") || sqlstate.starts_with("08");
}

bool touched_rows(const pqxx::result& result) {
  if (result.columns() == 0) return result.affected_rows() > 0;
  return !result.empty() && result[0][0].as<int64_t>(0) > 0;
}

}  // namespace

EverythingWriter::EverythingWriter(std::string dsn, std::vector<Operation> changes,
                                   std::string name, uint64_t seed)
    : dsn_(std::move(dsn)), changes_(std::move(changes)), name_(std::move(name)), dice_(seed) {}

demo::WorkerCounts EverythingWriter::run(const std::atomic<bool>& stop) {
  while (!stop) {
    try {
      write_until_lost(stop);
    } catch (const std::exception&) {
      counts_.lost++;
      std::this_thread::sleep_for(100ms);
    }
  }
  return counts_;
}

void EverythingWriter::write_until_lost(const std::atomic<bool>& stop) {
  pqxx::connection connection(dsn_);
  pqxx::nontransaction session(connection);
  session.exec("set lock_timeout = '1s'");
  while (!stop) {
    try {
      end_prepared(session);
      write_transaction(session);
    } catch (const pqxx::transaction_rollback& error) {
      count_refusal("40001", error.what());
      session.exec("rollback");
    } catch (const pqxx::sql_error& error) {
      count_refusal(error.sqlstate(), error.what());
      session.exec("rollback");
    }
    std::this_thread::sleep_for(kPause);
  }
}

void EverythingWriter::write_transaction(pqxx::nontransaction& session) {
  const int drawn = dice_.below(100);
  const Ending ending = drawn < 6    ? Ending::prepare
                        : drawn < 10 ? Ending::rollback
                                     : Ending::commit;
  std::vector<const char*> done;
  session.exec("begin");
  for (int i = 1 + dice_.below(kChangesMax); i > 0; i--) change(session, done);
  switch (ending) {
    case Ending::commit:
      session.exec("commit");
      committed(done);
      return;
    case Ending::rollback:
      session.exec("rollback");
      counts_.rolled_back++;
      return;
    case Ending::prepare: prepare(session, std::move(done)); return;
  }
}

void EverythingWriter::change(pqxx::nontransaction& session, std::vector<const char*>& done) {
  const Operation& drawn = next_change();
  const int savepoint = dice_.below(10);  // 0: undone, 1: released, 2: undone within another
  if (savepoint < 3) session.exec("savepoint outer_work");
  if (savepoint == 2) session.exec("savepoint inner_work");
  const pqxx::result result = session.exec(demo::fill_in(drawn.sql, dice_));
  const bool counts = drawn.extreme || touched_rows(result);
  switch (savepoint) {
    case 0: session.exec("rollback to outer_work"); break;
    case 1: session.exec("release outer_work"); break;
    case 2: session.exec("release inner_work; rollback to outer_work"); break;
    default: break;
  }
  if (!counts) return;
  if (savepoint == 0 || savepoint == 2) {
    done.push_back(kSavepointUndone);
    return;
  }
  if (savepoint == 1) done.push_back(kSavepointReleased);
  done.push_back(drawn.name);
}

void EverythingWriter::prepare(pqxx::nontransaction& session, std::vector<const char*> done) {
  const std::string id = name_ + "_" + std::to_string(prepared_count_++);
  session.exec("prepare transaction '" + id + "'");
  const auto open = std::chrono::milliseconds(dice_.below(kPreparedOpenMsMax));
  prepared_.push_back({id, Clock::now() + open, dice_.percent(65), std::move(done)});
}

void EverythingWriter::end_prepared(pqxx::nontransaction& session) {
  for (size_t i = 0; i < prepared_.size();) {
    if (Clock::now() < prepared_[i].due) {
      i++;
      continue;
    }
    const Prepared ended = prepared_[i];
    try {
      session.exec((ended.commit ? "commit prepared '" : "rollback prepared '") + ended.id + "'");
    } catch (const pqxx::sql_error& error) {
      if (error.sqlstate() != "42704") throw;  // ended already, the answer was lost
    }
    prepared_.erase(prepared_.begin() + static_cast<std::ptrdiff_t>(i));
    counts_.operations[ended.commit ? kPreparedCommitted : kPreparedRolledBack]++;
    if (ended.commit) committed(ended.done);
  }
}

void EverythingWriter::count_refusal(const std::string& sqlstate, const char* what) {
  if (goes_down(sqlstate)) throw std::runtime_error(what);
  if (is_conflict(sqlstate)) {
    counts_.conflicts++;
    return;
  }
  counts_.unexpected++;
  std::fprintf(stderr, "writer: %s: %s\n", sqlstate.c_str(), what);
}

// Each change as often as its weight says, in an order of its own every time.
const Operation& EverythingWriter::next_change() {
  if (deck_.empty()) {
    for (const Operation& operation : changes_) {
      deck_.insert(deck_.end(), static_cast<size_t>(operation.weight), &operation);
    }
    for (size_t i = deck_.size(); i > 1; i--) {
      std::swap(deck_[i - 1], deck_[static_cast<size_t>(dice_.below(static_cast<int>(i)))]);
    }
  }
  const Operation& drawn = *deck_.back();
  deck_.pop_back();
  return drawn;
}

void EverythingWriter::committed(const std::vector<const char*>& done) {
  counts_.committed++;
  for (const char* name : done) counts_.operations[name]++;
}

void end_all_prepared(const std::string& dsn) {
  const bool ended = eventually(60s, [&] {
    try {
      pqxx::connection connection(dsn);
      pqxx::nontransaction session(connection);
      bool commit = false;
      for (const auto& row : session.exec("select gid from pg_prepared_xacts"
                                          " where database = current_database() order by gid")) {
        commit = !commit;
        session.exec((commit ? "commit prepared " : "rollback prepared ") +
                     session.quote(row[0].as<std::string>()));
      }
      return true;
    } catch (const pqxx::failure&) {
      return false;  // the server comes up
    }
  });
  if (!ended) throw std::runtime_error("prepared transactions are left open");
}

}  // namespace repld::testing
