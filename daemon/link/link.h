// One direction of replication: runs attempts (link/session) until told to stop, and decides
// after each what to do: try again with back-off, wait for the operator, or end the process.
//
// An order of the operator may come at any time, also while the thread is busy with a server that
// does not answer. Each has a number; the thread serves one and waits only as long as that is the
// newest. Whoever waits or works installs what ends it before it looks at the number, and an order
// changes the number before it ends what is installed: so none is lost in between.
#pragma once

#include <stop_token>
#include <thread>

#include "base/wakeup.h"
#include "link/fence.h"
#include "link/housekeeping.h"
#include "link/monitor.h"
#include "link/replicated.h"
#include "link/shared.h"

namespace repld::link {

class Link {
 public:
  // `forward`: null, or this is the way back of that link, which it outlives. It rests until it is
  // armed, unless it was before, and leaves nothing on either side until then.
  Link(Settings settings, Hooks hooks, Link* forward = nullptr);
  ~Link();

  void start();
  // Ends the running attempt cleanly and waits for the threads.
  void stop();

  // Any thread. A pause by the operator outlives a restart of the daemon.
  void pause();
  void resume();
  // Any thread. The next attempt goes by it, which begins at once, but not amid the first copy;
  // only what take_reloadable() takes may differ.
  void reload(const Config& config);
  // The next attempt begins at once: the routes are read anew. Any thread.
  void reroute();
  // Sets the way back up, if it is not; of either direction, returns once a session streams that
  // began after the call, and every table that the other direction carries is published to it. Any
  // thread but those of HTTP. Throws Error: what stands in the way, or refused when it takes
  // longer.
  void arm(std::chrono::milliseconds within, const std::stop_token& stop);
  // Whether it is not set up, or was finalized, as far as is known.
  bool is_resting() const;
  // The former alone: of the way back of a daemon that starts it is not known at once.
  bool is_unarmed() const { return order_.copy().wish == Wish::rest; }
  // Rests from now on; what there is of the link stays.
  void give_up() { give(Wish::rest, {}); }
  // Copies tables afresh, given as schema.table. Any thread but those of HTTP: it asks the target.
  // Throws Error(refused).
  void resync(const std::vector<std::string>& tables);
  // Leaves out the source transaction that the link has stopped at, named by its commit position,
  // and goes on. Returns why not, when it has not stopped there.
  std::optional<ErrorStatus> skip(Lsn transaction);
  // Ends the link for good; then it rests until resume(), which sets it up afresh. `reply` is
  // called once: with a failure, also when another order came in between, or with what is left to
  // do by hand.
  using FinalizeReply = std::function<void(const std::optional<ErrorStatus>& failure,
                                           const std::vector<std::string>& left)>;
  void finalize(bool source_gone, FinalizeReply reply);
  // Any thread; see link/fence.
  std::unique_ptr<Fence> fence(const FenceOptions& options, const std::stop_token& stop,
                               std::unique_ptr<FenceSessions> sessions = nullptr) {
    return std::make_unique<Fence>(shared_, options, stop, std::move(sessions));
  }
  ReplicatedTables tables(pg::Session& live, pqxx::transaction_base& target,
                          pqxx::transaction_base& source) const {
    return replicated_tables(live, shared_, target, source);
  }
  void keep_proof(pg::Session& target, const TableProof& proof, const ProvenState& state) {
    link::keep_proof(target, shared_, proof, state);
  }
  // Any thread; see link/replicated.
  void suspect(const TableName& table, const char* reason) {
    link::suspect(shared_, table, reason);
  }
  // Any thread. Whoever has seen repld.refetch empty after asking for the number tells it.
  uint64_t healing_awaited() const { return shared_.healing.copy().asked; }
  void healed(uint64_t awaited) {
    shared_.healing.with([&](Awaited& value) { value.done = awaited; });
  }
  void mark(MarkReply reply) { monitor_.mark(std::move(reply)); }

  // Of the thread that calls the hooks.
  const Settings& settings() const { return shared_.settings; }
  // As of now; lag and the slot as of the monitor's last look.
  LinkStatus status() const;
  void record(const std::string& kind, const std::string& message) {
    shared_.events.record(kind, message);
  }
  std::vector<Event> events_after(int64_t id, size_t limit) const {
    return shared_.events.after(id, limit);
  }

 private:
  enum class Wish { find, run, pause, finalize, rest };

  struct Finalize {
    bool source_gone = false;
    FinalizeReply reply;
  };
  struct Order {
    Wish wish = Wish::run;
    uint64_t number = 0;
    bool given = false;  // by the operator, to this process
    std::vector<Finalize> unanswered;
  };

  void supervise(const std::stop_token& stop);
  void find(const Order& order, const std::stop_token& stop);
  void look_again();
  void attempt(const Order& order, const std::stop_token& stop);
  void run_session(const Order& order, const std::stop_token& stop);
  void rest_paused(const Order& order, const std::stop_token& stop);
  void finalize_now(const Order& order, const std::stop_token& stop);
  void answer_overtaken(bool stopping);
  void fail(const Error& error);
  // Until told, when negative; no longer than `order` is the newest.
  void wait(int64_t milliseconds, const Order& order, const std::stop_token& stop);
  void give(Wish wish, std::vector<Finalize> requests);
  bool is_newest(const Order& order) const { return order_.copy().number == order.number; }
  std::stop_token begin_attempt();
  void end_attempt();
  bool store_pause(bool paused);
  void take_reloaded();

  Shared shared_;
  Monitor monitor_;
  Housekeeping housekeeping_;
  Wakeup wakeup_;
  Synchronized<Order> order_;
  Synchronized<std::optional<Config>> reloaded_;  // not taken yet
  Synchronized<std::stop_source> attempt_;
  int64_t backoff_ms_ = 0;
  std::string last_failure_;  // told once, not at every try
  std::jthread thread_;
};

}  // namespace repld::link
