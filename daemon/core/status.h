// What the daemon knows about itself, as values. Published whole by app, read by HTTP handlers
// and metrics; nobody changes one after it was published.
//
// Times are seconds since 1970 with fractions; 0 means never.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/lsn.h"

namespace repld {

enum class LinkState {
  starting,    // connecting, reading progress
  setting_up,  // publication, slot, guard
  copying,
  streaming,
  retrying,   // a server is away; see error
  paused,     // by the operator or by an error; see error
  slot_lost,  // needs a new copy
  stopped,
};
const char* to_string(LinkState state);

enum class TableState {
  pending,  // known, not copied yet
  copying,
  copied,
  refused,  // the target table is not empty, or does not fit
};
const char* to_string(TableState state);

struct ErrorStatus {
  std::string kind;
  std::string message;
  std::string detail;
  std::string hint;
  std::string sqlstate;
  std::string table;
  Lsn transaction = Lsn::invalid;  // of the source, that `replctl skip` would leave out
  double at = 0;
};

ErrorStatus error_status(const Error& error, double at);

// Why a proof holds no longer.
inline constexpr const char* kDriftSuspicion = "a change found rows otherwise than it implies";
inline constexpr const char* kSkipSuspicion = "changes were left out by the operator";
inline constexpr const char* kRogueSuspicion = "somebody wrote to the replica past its guard";
inline constexpr const char* kShapeSuspicion = "columns, files or partitions on the source changed";

// The last comparison at a fence.
struct ProofStatus {
  double at = 0;
  int64_t rows = 0;  // on the source
  int64_t target_rows = 0;
  int64_t missing = 0;  // on the source only
  int64_t extra = 0;    // on the target only
  int64_t different = 0;
  std::string suspicion = {};  // why it holds no longer; empty: it does

  bool equal() const { return missing == 0 && extra == 0 && different == 0; }
};

struct TableStatus {
  std::string schema;
  std::string name;
  std::string group;
  TableState state = TableState::pending;
  int64_t rows_copied = 0;
  int64_t bytes_copied = 0;
  int64_t bytes_total = 0;      // estimate from the source's relation size; 0 unknown
  int64_t missing_rows = 0;     // changes that found no row, since the daemon started
  int64_t unexpected_rows = 0;  // inserts that found one
  double copied_at = 0;
  std::string reason;  // why it is refused
  std::optional<ProofStatus> proof;
  // Not shown: how often, and why, its rows were put in doubt since the daemon started.
  int64_t doubts = 0;
  std::string doubt;
  // Not shown: what the proof was of, see link/shapes.
  uint32_t source_oid = 0;
  std::string proven_shape;
};

struct SlotStatus {
  std::string name;
  bool exists = false;
  bool active = false;
  std::string wal_status;             // reserved, extended, unreserved, lost; empty unknown
  std::optional<int64_t> safe_bytes;  // absent: no limit
  int64_t retained_bytes = 0;         // WAL the source keeps for us
};

struct LinkStatus {
  std::string name;
  LinkState state = LinkState::starting;
  bool paused_by_operator = false;
  Lsn received = Lsn::invalid;
  Lsn applied = Lsn::invalid;
  Lsn durable = Lsn::invalid;
  Lsn confirmed = Lsn::invalid;
  Lsn source = Lsn::invalid;  // the source's insert position when last asked
  int64_t lag_bytes = 0;
  double lag_seconds = 0;
  int64_t applied_transactions = 0;
  int64_t applied_rows = 0;
  int64_t rogue_changes = 0;  // to tables that live on the other side; not applied
  int64_t reconnects_source = 0;
  int64_t reconnects_target = 0;
  bool source_up = false;
  bool target_up = false;
  bool tables_known = false;  // read once from the target: which tables it has taken
  bool copied = false;        // every table has had its first copy
  bool incomplete = false;    // rows that were missing are yet to be brought, see repld.refetch
  SlotStatus slot;
  std::optional<ErrorStatus> error;  // why it is retrying, paused or lost
  std::vector<TableStatus> tables;
};

struct GroupStatus {
  std::string name;
  std::string primary;  // "source" or "target"; "unknown" until its link has read its state
};

struct Status {
  std::string version;
  double started_at = 0;
  double at = 0;
  std::string http_listen;  // host:port as bound
  std::vector<LinkStatus> links;
  std::vector<GroupStatus> groups;
};

// Ready: every link streams, its copy is complete, and its lag is at most max_lag_seconds.
// Empty when ready, else one reason per line.
std::vector<std::string> unready_reasons(const Status& status, double max_lag_seconds);

// {"clients":"source","all":"target"}; nothing as long as that of a group is unknown: who is told
// nothing goes on where it was, and is not sent to write to a replica.
std::optional<std::string> primary_json(const Status& status);
// What /api/v1/status answers. Numbers for LSNs are strings in PostgreSQL's form.
std::string status_json(const Status& status);

// One line of the log of what happened (repld.event).
struct Event {
  int64_t id = 0;
  double at = 0;
  std::string link;
  std::string kind;     // started, copied, paused, resumed, error ...
  std::string message;  // one line, no row values
};
std::string events_json(const std::vector<Event>& events);

}  // namespace repld
