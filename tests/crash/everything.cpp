#include "everything.h"

#include <algorithm>
#include <cstdio>
#include <exception>
#include <pqxx/pqxx>

#include "everything_changes.h"
#include "everything_writer.h"

namespace repld::testing {
namespace {

using demo::Operation;
using demo::WorkerCounts;

constexpr int kWriters = 2;

std::string script(const char* name) {
  return std::string(REPLD_SOURCE_DIR) + "/tests/crash/" + name;
}

WorkerCounts counts_of(const Course& course, Crew& crew, const std::atomic<bool>& stop) {
  WorkerCounts counts;
  try {
    run_course(course, crew, stop);
  } catch (const std::exception& failure) {
    counts.unexpected++;
    std::fprintf(stderr, "course \"%s\": %s\n", course.name, failure.what());
  }
  counts.operations = crew.counts();
  return counts;
}

}  // namespace

void load_everything(const std::string& dsn, Load load) {
  run_script(dsn, script("everything.sql"));
  run_script(dsn, std::string(REPLD_SOURCE_DIR) + "/demo/accounts.sql");
  pqxx::connection connection(dsn);
  pqxx::nontransaction session(connection);
  session.exec("create table dealt (id int, k int, v text, primary key (id, k)) partition by " +
               std::string(load == Load::tables_and_rows ? "list (k)" : "range (k)"));
  if (load == Load::tables) {
    session.exec(
        "create table dealt_low partition of dealt for values from (0) to (3);"
        "create table dealt_rest partition of dealt default");
    return;
  }
  for (const char* k : {"0", "1", "2", "3"}) {
    session.exec(std::string("create table dealt_") + k + " partition of dealt for values in (" +
                 k + ")");
  }
  run_script(dsn, script("everything_rows.sql"));
}

std::vector<std::string> kinds_of_everything() {
  std::vector<std::string> kinds = {kSavepointUndone, kSavepointReleased, kPreparedCommitted,
                                    kPreparedRolledBack};
  for (const Operation& change : everything_changes()) kinds.emplace_back(change.name);
  for (const Course& course : everything_courses()) {
    kinds.insert(kinds.end(), course.steps.begin(), course.steps.end());
  }
  return kinds;
}

Everything::Everything(const std::string& source_dsn, const std::string& target_dsn,
                       bool beside_a_copy, uint64_t seed)
    : source_dsn_(source_dsn) {
  std::vector<Operation> changes = everything_changes();
  if (beside_a_copy) {
    std::erase_if(changes, [](const Operation& change) { return change.extreme; });
  }
  for (uint64_t i = 0; i < kWriters; i++) {
    writers_.push_back(std::async(std::launch::async, [this, changes, i, seed] {
      const std::string name = "writer_" + std::to_string(seed) + "_" + std::to_string(i);
      return EverythingWriter(source_dsn_, changes, name, seed * 1000 + i).run(stop_);
    }));
  }
  if (beside_a_copy) return;
  for (const Course& course : everything_courses()) {
    crews_.emplace_back(source_dsn, target_dsn, course.name, seed * 1000 + crews_.size() + 500);
    courses_.push_back(std::async(std::launch::async, [this, &course, &crew = crews_.back()] {
      return counts_of(course, crew, stop_);
    }));
  }
}

WorkerCounts Everything::stop() {
  stop_ = true;
  WorkerCounts total;
  for (auto& writer : writers_) total.add(writer.get());
  end_all_prepared(source_dsn_);
  for (auto& course : courses_) total.add(course.get());
  return total;
}

}  // namespace repld::testing
