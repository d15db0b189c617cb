#include "link/shown.h"

#include <chrono>
#include <functional>
#include <thread>

#include "core/xid.h"
#include "embedded_sql.h"

namespace repld::link {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kPatience{1};
constexpr std::chrono::milliseconds kAskAgain{5};

bool shows_now(pg::Session& source, uint32_t xid) {
  const auto rows = source.exec("select pg_current_snapshot()");
  return SourceSnapshot::parse(rows[0][0].c_str()).sees(xid);
}

bool within_patience(const std::function<bool()>& shown) {
  const auto until = Clock::now() + kPatience;
  while (!shown()) {
    if (Clock::now() >= until) {
      return false;
    }
    std::this_thread::sleep_for(kAskAgain);
  }
  return true;
}

}  // namespace

bool shows(pg::Session& source, uint32_t xid) {
  return within_patience([&] { return shows_now(source, xid); });
}

bool shows_altered(pg::Session& source, uint32_t relation, uint32_t xid) {
  return within_patience([&] {
    return source.exec_params(std::string(sql::kAlteringRelation), relation, std::to_string(xid))
        .empty();
  });
}

Error not_shown_yet(const Relation& relation) {
  return Error(ErrorKind::connect, "the source does not show yet what it streams")
      .detail("its commit waits, for a synchronous standby perhaps")
      .table(relation.full_name());
}

}  // namespace repld::link
