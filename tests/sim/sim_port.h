// The applier's port to the fake target. Every call is a step of the simulation: the world moves
// on, and may end the session or the whole process in the middle of it.
#pragma once

#include <deque>

#include "apply/batch_port.h"
#include "sim/fake_target.h"

namespace repld::sim {

class World;

class SimPort : public apply::BatchPort {
 public:
  SimPort(World& world, FakeTarget& target) : world_(world), target_(target) {}

  void receive() override;
  void receive_all() override;
  void wait(Wakeup& wakeup, std::chrono::milliseconds timeout) override;
  size_t owed() const override { return owed_.size(); }
  Lsn target_flushed() const override { return flushed_; }
  Lsn target_written() const override { return written_; }
  apply::Clock::time_point now() const override;
  apply::Clock::time_point answered_at() const override { return answered_at_; }
  void map(const TransactionPart& part) override;
  const TableName& table_of(const RelationPtr& relation) override;
  void before_ddl(std::function<void()> release) override { release_ = std::move(release); }

  // Drift in batches whose COMMIT this client has seen answered.
  const apply::Drift& seen_drift() const { return seen_drift_; }

 protected:
  void queue(const apply::InFlightPtr& in_flight, Command command) override;
  void queue_advance(const apply::InFlightPtr& in_flight, Lsn from, Lsn to) override;
  void queue_change(const apply::InFlightPtr& in_flight, const TransactionPart& part,
                    const InOrder& place, Strictness strictness) override;
  void queue_rows(const apply::InFlightPtr& in_flight, const RowSet& rows) override;
  // No tables are renamed here.
  void queue_names(const apply::InFlightPtr&, std::span<const TransactionPart>) override {}
  void queue_suspicion(const apply::InFlightPtr&, const TableName&) override {}  // no proofs here
  void queue_sync(const apply::InFlightPtr& in_flight) override;
  const RowMapping& mapping_of(const RelationPtr& relation) override;

 private:
  struct Owed {
    enum class Kind { other, change, commit, position, sync };
    Kind kind = Kind::other;
    apply::InFlightPtr in_flight;
    size_t table = 0;
    ChangeKind change_kind = ChangeKind::insert;
    Strictness strictness = Strictness::exact;
    std::optional<InOrder> place;
  };

  void send(Owed owed, TargetCommand command);
  void take(const Owed& owed, const TargetAnswer& answer);
  void take_change(const Owed& owed, const TargetAnswer& answer);
  void fail(const Owed& owed, const TargetAnswer& answer);

  World& world_;
  FakeTarget& target_;
  std::function<void()> release_;
  std::set<uint32_t> mapped_;
  std::deque<Owed> owed_;
  apply::Clock::time_point answered_at_ = now();
  Lsn flushed_ = Lsn::invalid;
  Lsn written_ = Lsn::invalid;
  apply::Drift seen_drift_;
};

}  // namespace repld::sim
