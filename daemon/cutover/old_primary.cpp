#include "cutover/old_primary.h"

#include <algorithm>
#include <random>

#include "base/pause.h"
#include "core/sql_text.h"
#include "cutover/quiet.h"
#include "link/routes.h"

namespace repld::cutover {

namespace {

using Milliseconds = std::chrono::milliseconds;

// Writers queue behind us for so long at most, each time.
constexpr Milliseconds kFreezeWaitMin{200};
constexpr Milliseconds kFreezeWaitMax{500};
constexpr Milliseconds kPauseMin{100};
constexpr Milliseconds kPauseMax{1000};
constexpr std::chrono::seconds kPatience{20};

bool is_lock_failure(const Error& error) {
  return error.sqlstate() == "55P03" || error.sqlstate().substr(0, 2) == "40";
}

bool is_timeout(const Error& error) { return error.sqlstate() == "57014"; }

Milliseconds jittered(Milliseconds longest) {
  static thread_local std::minstd_rand random{std::random_device{}()};
  return Milliseconds(
      std::uniform_int_distribution<int64_t>(longest.count() / 2, longest.count())(random));
}

}  // namespace

OldPrimary::OldPrimary(const pg::Server& server, const Course& course)
    : server_(server),
      course_(course),
      tables_(list_of(course.tables)),
      connection_(server, pg::Purpose::control) {}

void OldPrimary::quiet() {
  connection_.exec(fmt::format("begin; set local idle_in_transaction_session_timeout = {}",
                               Milliseconds(kQuietMax).count()));
  const auto row = connection_.exec(
      "select state from repld.cutover where id = $1 and state = 'begun' for update", {course_.id});
  if (PQntuples(row.get()) != 1) {
    throw Error(ErrorKind::refused, "another session has ended this cutover");
  }
  connection_.exec(fmt::format("set local lock_timeout = {}", kQuietWait.count()));
  try {
    connection_.exec(fmt::format("lock table {} in share update exclusive mode", tables_));
  } catch (const Error& error) {
    if (is_lock_failure(error)) {
      refuse(Lock::quiet, "a vacuum, an index build or DDL is at work on the tables");
    }
    throw;
  }
}

OldPrimary::Clock::time_point OldPrimary::freeze(const std::stop_token& stop) {
  const auto until = Clock::now() + kPatience;
  Milliseconds wait = kFreezeWaitMin;
  Milliseconds rest = kPauseMin;
  while (true) {
    const auto sent = Clock::now();
    if (try_freeze(std::min(wait, Milliseconds(course_.max_freeze_ms)))) {
      return sent;
    }
    if (Clock::now() >= until || stop.stop_requested()) {
      refuse(Lock::freeze, "a transaction holds on to the tables");
    }
    pause(jittered(rest), stop);
    wait = std::min(wait * 2, kFreezeWaitMax);
    rest = std::min(rest * 2, kPauseMax);
  }
}

// One message, so that the dead-man's switch is set before the session is idle: to what is left of
// max_freeze since the message arrived. Writers on the first table wait for the locks on all, of
// which lock_timeout bounds each, statement_timeout all.
bool OldPrimary::try_freeze(Milliseconds wait) {
  try {
    connection_.exec(
        fmt::format("savepoint before_lock; set local lock_timeout = {0}; "
                    "set local statement_timeout = {0}; lock table {1} in exclusive mode; "
                    "set local statement_timeout = 0; "
                    "select set_config('idle_in_transaction_session_timeout', greatest(1, {2} - "
                    "ceil(extract(epoch from clock_timestamp() - statement_timestamp()) * 1000))"
                    "::int::text, true)",
                    wait.count(), tables_, course_.max_freeze_ms));
    return true;
  } catch (const Error& error) {
    if (!is_lock_failure(error) && !is_timeout(error)) {
      throw;
    }
  }
  connection_.exec("rollback to savepoint before_lock");
  return false;
}

void OldPrimary::refuse(Lock lock, const std::string& what) {
  Error error(ErrorKind::refused, what);
  pg::Session watcher(server_);
  const auto blockers = blockers_of(watcher, course_.tables, lock, connection_.backend_pid());
  if (!blockers.empty()) {
    error.detail("{}", blockers.front().text()).table(blockers.front().table.full());
  }
  throw error.hint("Wait until it has ended, or end it, and try again. Nothing was changed.");
}

void OldPrimary::close(const std::string& guard_script, Milliseconds within) {
  connection_.exec(fmt::format(
      "set local statement_timeout = {}; {}{}; "
      "update repld.cutover set state = 'committed', changed_at = clock_timestamp() "
      "where id = {}; commit",
      within.count(), guard_script,
      link::move_route_sql(course_.link, course_.group, {course_.to, course_.generation}),
      quote_literal(course_.id)));
}

}  // namespace repld::cutover
