// The replication slot of a link: its state, its removal, and whether it still has all the WAL
// that the target lacks.
#pragma once

#include <optional>
#include <string>

#include "core/lsn.h"
#include "pg/session.h"

namespace repld::stream {

inline constexpr const char* kCopyAgain =
    "The target lacks changes that the source no longer has. Run replctl finalize, empty the "
    "target's tables and start again, so that they are copied afresh.";

struct Slot {
  std::string plugin;
  bool here = false;  // of the session's database; slots are of the whole server
  bool active = false;
  int active_pid = 0;
  Lsn confirmed = Lsn::invalid;
  std::string wal_status;             // reserved, extended, unreserved, lost
  std::optional<int64_t> safe_bytes;  // absent: no limit
  int64_t retained_bytes = 0;
};

std::optional<Slot> read_slot(pg::Session& source, const std::string& name);

// What is said of a slot of our name that nothing proves to be ours.
Error foreign_slot(const std::string& name);
std::string drop_slot_statement(const std::string& name);

// Ends the walsender that uses the slot (of a process of ours that is gone) and waits until it
// has left. Throws Error(connect) when it stays.
void release_slot(pg::Session& source, const std::string& name);

// Drops the slot if it exists, releasing it first. The caller knows that it is ours, see
// stream/publication.
void drop_slot(pg::Session& source, const std::string& name);

// START_REPLICATION would silently begin at what the slot has confirmed. Throws Error(slot_lost)
// unless the slot exists and streams everything after `progress`.
void require_streamable(const std::optional<Slot>& slot, const std::string& name, Lsn progress);

}  // namespace repld::stream
