// The progress row of a link, and the lock that makes this session its single owner.
//
// The lock is a session-level advisory lock on the apply connection itself. A server goes on
// executing a dead client's pipeline for seconds, and that backend holds the lock all the while;
// so whoever gets the lock knows that no earlier pipeline runs any more, and only then reads the
// row. An earlier owner of this same installation is known to be dead (its process lock is ours
// now), so its backend is ended; one of another installation may be alive and is waited for.
//
// Interleavings:
//   old pipeline running, we start     lock refused -> terminate -> backend rolls back or has
//                                      committed, releases -> lock ours -> read what it left
//   lock ours, old COMMIT unseen       the row shows it: progress and data commit together
//   claimed, then we die               next owner claims again; nothing depends on our claim
//   target loses its last commits      the claim commits synchronously, which flushes all WAL
//                                      before it: what we read is durable from then on
#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/lsn.h"
#include "pg/connection.h"
#include "pg/replication_connection.h"
#include "pg/session.h"

namespace repld::apply {

enum class Phase { setup, streaming };

struct ProgressRow {
  std::string slot_name;
  std::string system_identifier;
  int timeline = 0;
  std::string database;
  Phase phase = Phase::setup;
  Lsn lsn = Lsn::invalid;
  std::string owner;  // uuid, new with every claim
  std::string guard_nonce;
  bool paused = false;
  // Of others, that the link streams through; nothing: it has one of its own.
  std::optional<std::vector<std::string>> publications;
  std::string slot_maker;  // backend of the source that was told to make the slot; or empty
  double age_seconds = 0;  // since the position was last moved, by the target's clock
};

// For whoever writes to the target beside the apply connection, first in its transaction: keeps the
// progress row as it is until that ends, marks what is written as ours, so that the link of the
// other direction does not take it for an application's, and returns what lets the guard pass.
// Throws Error(connect) when `owner` is not the link's any more: what such a session still writes
// would be believed by the one that follows it.
std::string require_owner(pg::Connection& connection, const std::string& link,
                          const std::string& owner);
std::string require_owner(pqxx::transaction_base& transaction, const std::string& link,
                          const std::string& owner);

class ProgressStore {
 public:
  // Borrows the apply connection, in ordinary (not pipeline) mode.
  ProgressStore(pg::Connection& connection, std::string link)
      : connection_(connection), link_(std::move(link)) {}

  // Returns once the lock is ours, or false when stopped. `waiting` is called once if another
  // installation holds it, with a text that says who.
  bool lock(const std::string& instance, const std::stop_token& stop,
            const std::function<void(const std::string&)>& waiting);

  // Makes this session the row's owner and reads it; nothing when the link has no row yet.
  std::optional<ProgressRow> claim(const std::string& instance);

  // Writes the first row of a link, in phase setup, and claims it. A row that an interrupted set-up
  // left is taken over: its guard nonce, which the guard on the tables may carry, stays.
  ProgressRow create(const std::string& instance, const std::string& slot_name,
                     const pg::SystemIdentity& source,
                     const std::optional<std::vector<std::string>>& publications);

  // A backend of the source is about to make the slot; it was made and stands at `lsn`. The phase
  // is still setup. Durable on return.
  void note_slot_maker(const std::string& backend);
  void note_slot(Lsn lsn);

  // Everything is copied: the link stands at `lsn` of its source. Durable on return.
  void begin_streaming(Lsn lsn);

 private:
  void run_durably(const std::string& sql, std::initializer_list<std::string> parameters);

  pg::Connection& connection_;
  const std::string link_;
};

}  // namespace repld::apply
