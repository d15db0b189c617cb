// The port to PostgreSQL: commands as SQL on the apply connection, in pipeline mode, and every
// result read.
//
// Not thread-safe; owned by the apply thread.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <stop_token>

#include "apply/batch_port.h"
#include "apply/change_binding.h"
#include "pg/pipeline_connection.h"

namespace repld::apply {

class Pipeline : public BatchPort {
 public:
  // `connection` is in pipeline mode; prepared statements belong to `schema`. Borrows both.
  // Once `stop` is requested, waiting for answers ends after some seconds with Error(connect).
  Pipeline(pg::PipelineConnection& connection, SchemaMap& schema, std::string link,
           std::string owner, std::stop_token stop);

  void receive() override;
  void receive_all() override;
  void wait(Wakeup& wakeup, std::chrono::milliseconds timeout) override;
  size_t owed() const override { return owed_.size(); }
  Lsn target_flushed() const override { return target_flushed_; }
  Lsn target_written() const override { return target_written_; }
  Clock::time_point now() const override { return Clock::now(); }
  Clock::time_point answered_at() const override { return answered_at_; }
  void map(const TransactionPart& part) override { schema_.map_all(part); }
  const TableName& table_of(const RelationPtr& relation) override {
    return schema_.find(relation).table;
  }
  void before_ddl(std::function<void()> release) override {
    schema_.before_ddl(std::move(release));
  }

 protected:
  void queue(const InFlightPtr& in_flight, Command command) override;
  void queue_advance(const InFlightPtr& in_flight, Lsn from, Lsn to) override;
  void queue_change(const InFlightPtr& in_flight, const TransactionPart& part, const InOrder& place,
                    Strictness strictness) override;
  void queue_rows(const InFlightPtr& in_flight, const RowSet& rows) override;
  void queue_names(const InFlightPtr& in_flight, std::span<const TransactionPart> parts) override;
  void queue_suspicion(const InFlightPtr& in_flight, const TableName& table) override;
  void queue_sync(const InFlightPtr& in_flight) override;
  const RowMapping& mapping_of(const RelationPtr& relation) override {
    return schema_.find(relation).mapping;
  }

 private:
  struct Owed {
    enum class Kind { other, prepare, change, names, commit, position, sync };
    Kind kind = Kind::other;
    InFlightPtr in_flight;  // null for what belongs to no batch
    Prepared* prepared = nullptr;
    MappedRelation* relation = nullptr;
    ChangeKind change_kind = ChangeKind::insert;
    Strictness strictness = Strictness::exact;
    std::optional<InOrder> place;  // none: many, folded
  };

  void owe(Owed::Kind kind, const InFlightPtr& in_flight);
  void send_bound(Owed owed);
  // Gets what is queued out of our memory, taking results meanwhile so that neither side waits
  // for the other.
  void flush();
  void give_up_when_stopped();
  void take(const Owed& owed, const PGresult* result);
  static bool says_renamed(const Owed& owed, const Error& error, const PGresult* result);
  void take_change(const Owed& owed, const PGresult* result);
  void fail(const Owed& owed, Error error);

  pg::PipelineConnection& connection_;
  SchemaMap& schema_;
  const std::string link_;
  const std::string owner_;
  const std::stop_token stop_;
  std::optional<Clock::time_point> stopped_at_;
  std::deque<Owed> owed_;
  BoundChange bound_;
  size_t unflushed_bytes_ = 0;
  Clock::time_point answered_at_ = Clock::now();
  Lsn target_flushed_ = Lsn::invalid;
  Lsn target_written_ = Lsn::invalid;
};

}  // namespace repld::apply
