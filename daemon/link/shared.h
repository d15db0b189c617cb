// What the threads of one link share, and what the link was told by app.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "base/synchronized.h"
#include "core/config.h"
#include "core/direction.h"
#include "core/flow.h"
#include "core/status.h"
#include "core/table.h"
#include "link/carriage.h"
#include "link/event_log.h"
#include "pg/server.h"
#include "pg/snapshot.h"
#include "stream/publication.h"

namespace repld::link {

// The first copy under an exported snapshot; `targets` parallel to `tables`.
struct CopyRequest {
  pg::ExportedSnapshot snapshot;
  std::string guard_nonce;
  std::string owner;  // as whom we own the link
  std::vector<SourceTable> tables;
  std::vector<TableName> targets;
  std::vector<SourceTable> filled;  // with rows on the target already, to be made equal instead
  std::function<void(const TableName& table, int64_t rows, int64_t bytes)> progress;
  std::function<void(const TableName& table)> finished;
  std::stop_token stop;
};

// What a link needs from peers and from above, handed in by app.
struct Hooks {
  std::function<void(const CopyRequest& request)> copy_tables;  // throws Error
  std::function<void(const std::string& table, int64_t inserted, int64_t updated, int64_t deleted)>
      rows_applied;
  std::function<void(int64_t transactions, int64_t rows, double seconds)> batch_applied;
  std::function<void(const std::string& table, int64_t missing, int64_t unexpected)> rows_drifted;
  // Changes that were not applied: the table lives on the other side, see link/rogues.
  std::function<void(const TableName& table, int64_t changes)> rogue;
  std::function<void()> missing;    // rows are in repld.refetch, perhaps
  std::function<void()> overtaken;  // a proof of the status holds no longer
  std::function<void(const std::string& table, int64_t bytes)> bytes_copied;
  std::function<void(const Error& error)> failed;
  std::function<void(Side side)> reconnected;
  std::function<void(int exit_code)> exit;  // an error that only a person can mend
};

struct Settings {
  Config config;
  pg::Server source;
  pg::Server target;
  std::string instance;  // this installation, see apply/progress_store
};

// What is wrong with the publications that the link streams through; nothing: they give what it
// was set up to receive. Any thread, with a session of its own.
using PublicationCheck = std::function<std::optional<Error>(pg::Session& source)>;

class FenceGate;
// Of the session that streams: where fences stop it, and as whom it owns the link.
struct Gated {
  std::shared_ptr<FenceGate> gate;
  std::string owner;
};
using FlowPtr = std::shared_ptr<Synchronized<Flow>>;

inline void show_positions(const Progress& progress, LinkStatus& status) {
  status.received = progress.received();
  status.applied = progress.applied();
  status.durable = progress.durable();
  status.confirmed = progress.confirmed();
}

// How often something was asked for, and up to which time it is done.
struct Awaited {
  uint64_t asked = 0;
  uint64_t done = 0;
  bool pending() const { return asked != done; }
};

struct Shared {
  explicit Shared(Settings given, Hooks hooked, EventLog* main_log)
      : settings(std::move(given)),
        hooks(std::move(hooked)),
        events(settings.config.link.name, main_log) {}

  // What a reload changes of the configuration changes on the link's thread between two attempts:
  // other threads read it during an attempt only, or read what never changes.
  Settings settings;
  const Hooks hooks;
  EventLog events;
  Synchronized<LinkStatus> status;
  std::set<uint32_t> divided_otherwise;  // link thread only: see link/partitions
  bool again = false;                    // link thread only: the attempt before was cut off
  std::set<std::string> sequences_told;  // thread of link/sequences only
  Synchronized<FlowPtr> flow;            // of the session that streams; null when none does
  Synchronized<Gated> gated;             // of that session too: see link/fence
  Synchronized<PublicationCheck> publication_check;  // of that session
  Synchronized<Lsn> skipped{Lsn::invalid};           // see link/skip

  Synchronized<CarriagePtr> carriage;  // of that session; null before the first

  Synchronized<Awaited> healing;  // of rows that may be in repld.refetch; done: it was seen empty
  Synchronized<Awaited> resyncs;  // done: a session has looked at the tables since
  Synchronized<Awaited> arming;   // done: it streams, and every table is published, since
  void await_healing() {
    healing.with([](Awaited& value) { ++value.asked; });
    hooks.missing();
  }

  void set_state(LinkState state) {
    status.with([&](LinkStatus& value) { value.state = state; });
  }
  const std::string& name() const { return settings.config.link.name; }
  std::string slot_name() const { return repld::slot_name(name()); }
  // For the guard: where the tables are written, once they have moved. Empty: see the guard.
  std::string lives_on() const { return is_reverse(name()) ? "target" : ""; }
  // Any thread. Before the first session has read it: all is carried.
  bool carries(const TableName& table) const {
    const CarriagePtr known = carriage.copy();
    return !known || known->carries(table);
  }
  stream::PublicationId publication_id(const std::string& slot, const std::string& nonce) const {
    return stream::publication_id(slot, name(), nonce);
  }
};

}  // namespace repld::link
