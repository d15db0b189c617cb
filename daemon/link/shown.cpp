#include "link/shown.h"

#include <chrono>
#include <thread>

#include "core/xid.h"

namespace repld::link {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kPatience{1};
constexpr std::chrono::milliseconds kAskAgain{5};

bool shows_now(pg::Session& source, uint32_t xid) {
  const auto rows = source.exec("select pg_current_snapshot()");
  return SourceSnapshot::parse(rows[0][0].c_str()).sees(xid);
}

}  // namespace

bool shows(pg::Session& source, uint32_t xid) {
  const auto until = Clock::now() + kPatience;
  bool shown = shows_now(source, xid);
  while (!shown && Clock::now() < until) {
    std::this_thread::sleep_for(kAskAgain);
    shown = shows_now(source, xid);
  }
  return shown;
}

Error not_shown_yet(const Relation& relation) {
  return Error(ErrorKind::connect, "the source does not show yet what it streams")
      .detail("its commit waits, for a synchronous standby perhaps")
      .table(relation.full_name());
}

}  // namespace repld::link
