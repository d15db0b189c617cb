#include "link/slot_blocker.h"

#include "base/clock.h"

namespace repld::link {

namespace {

// pg_locks shows to everyone who has an xid; what a session does, only to its own role and to
// pg_monitor. A prepared transaction has no backend.
constexpr const char* kOldest =
    "select coalesce(l.pid, 0), coalesce(a.usename, ''), coalesce(a.state, ''), "
    "       coalesce(extract(epoch from clock_timestamp() - a.xact_start)::bigint, -1) "
    "  from pg_locks l left join pg_stat_activity a on a.pid = l.pid "
    " where l.locktype = 'transactionid' and l.granted and l.mode = 'ExclusiveLock' "
    "   and l.pid is distinct from pg_backend_pid() "
    "   and coalesce(clock_timestamp() - a.xact_start > interval '2 seconds', true) "
    " order by a.xact_start nulls last limit 1";

}  // namespace

std::optional<ErrorStatus> slot_blocker(pg::Session& source) {
  const auto rows = source.exec(kOldest);
  if (rows.empty()) {
    return std::nullopt;
  }
  const auto row = rows[0];
  const int pid = row[0].as<int>();
  const std::string role = row[1].c_str();
  const std::string state = row[2].c_str();
  const auto seconds = row[3].as<int64_t>();
  ErrorStatus waiting;
  waiting.kind = "waiting";
  waiting.message = "repld waits for a transaction that is open on the source";
  waiting.at = now_seconds();
  if (pid == 0) {
    waiting.detail = "it is a prepared transaction";
    waiting.hint = "See pg_prepared_xacts: COMMIT PREPARED or ROLLBACK PREPARED ends it.";
    return waiting;
  }
  waiting.detail = fmt::format("backend {}{}", pid, role.empty() ? "" : " of role " + role);
  if (!state.empty()) {
    waiting.detail += ", " + state;
  }
  if (seconds >= 0) {
    waiting.detail += fmt::format(", open for {} s", seconds);
  }
  waiting.hint = fmt::format(
      "repld goes on when it ends. If nobody needs it: select pg_terminate_backend({})", pid);
  return waiting;
}

}  // namespace repld::link
