#include "link/shown.h"

#include <chrono>
#include <functional>
#include <thread>

#include "core/xid.h"
#include "embedded_sql.h"
#include "pg/catalog.h"

namespace repld::link {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kPatience{1};
constexpr std::chrono::milliseconds kAskAgain{5};

// Of whoever has locked a table as a whole.
constexpr const char* kLockTimeout = "set lock_timeout = '5s'";
constexpr const char* kLockNotAvailable = "55P03";

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

bool shows_altered(pg::Session& source, const Relation& relation, uint32_t xid) {
  // What identifies rows is in the stream, but under FULL.
  const bool itself = relation.identity == ReplicaIdentity::full;
  return within_patience([&] {
    return source
        .exec_params(std::string(sql::kAlteringRelation), relation.oid, std::to_string(xid), itself)
        .empty();
  });
}

std::optional<RelationFacts> facts_of(pg::Session& source, const Relation& relation) {
  try {
    source.exec(kLockTimeout);
    auto facts = pg::relation_facts(source, relation.oid);
    source.exec("reset lock_timeout");
    return facts;
  } catch (const Error& error) {
    if (error.sqlstate() != kLockNotAvailable) {
      throw;
    }
    throw Error(ErrorKind::connect,
                fmt::format("table \"{}\" is locked on the source", relation.full_name()))
        .detail("changes of it are due, and what its partitions are cannot be read meanwhile")
        .hint(
            "The link goes on by itself when the lock is gone: pg_locks of the source says who has "
            "it, pg_prepared_xacts whether a prepared transaction does.")
        .sqlstate(error.sqlstate())
        .table(relation.full_name());
  }
}

Error not_shown_yet(const Relation& relation) {
  return Error(ErrorKind::connect, "the source does not show yet what it streams")
      .detail("its commit waits, for a synchronous standby perhaps")
      .table(relation.full_name());
}

}  // namespace repld::link
