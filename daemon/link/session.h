// One attempt of a link: from connecting to the first error, pause or stop.
//
// It owns every connection of the attempt but the monitor's. Nothing of it survives: the next
// attempt begins with the lock, the progress row and the slot, so whatever happened in between on
// either server is seen before a byte is applied.
#pragma once

#include <exception>
#include <memory>
#include <stop_token>

#include "apply/applier.h"
#include "apply/progress_store.h"
#include "apply/schema_map.h"
#include "apply/surroundings.h"
#include "base/wakeup.h"
#include "core/supply.h"
#include "link/fence_gate.h"
#include "link/joining.h"
#include "link/new_columns.h"
#include "link/outsiders.h"
#include "link/partitions.h"
#include "link/shared.h"
#include "pg/pipeline_connection.h"
#include "pg/replication_connection.h"
#include "pg/session.h"
#include "stream/reader.h"

namespace repld::link {

class LinkSession {
 public:
  // `stop` ends the attempt cleanly: what was received and sent is made durable.
  LinkSession(Shared& shared, Wakeup& apply_wakeup, std::stop_token stop);

  // Throws Error. Returns when stopped, or at once when the row says that the operator paused.
  void run();

  // Whether the row said paused.
  bool found_paused() const { return found_paused_; }

 private:
  bool own_link();
  void require_same_source(const pg::SystemIdentity& source) const;
  void require_not_older(const pg::SystemIdentity& source) const;
  Lsn prepare_stream();
  void require_published();
  void require_published_by_others();
  void require_own_slot();
  std::optional<RelationFacts> look_up(const Relation& relation);
  void require_not_replaced(const RelationFacts& facts);
  std::vector<TypeShape> column_types(const Relation& relation);
  TableName root_of(const Relation& relation);
  void overtake_by_skip(const std::vector<RelationPtr>& relations);
  stream::ReaderOptions reader_options();
  std::vector<std::string> publications() const;
  void assume_routes();
  void read_routes();
  void note_armed();
  void prepare_tables();
  int64_t source_now_us();
  void stream(Lsn from);
  void stream_completing(Lsn from);
  Partitions partitions();
  apply::SchemaQuestions questions(Partitions& partitions, NewColumns& new_columns);
  bool is_adopted(const TableSupply& table) const;
  std::exception_ptr run_fenced(const std::shared_ptr<FenceGate>& gate,
                                const std::function<std::exception_ptr()>& run);
  // Runs the applier here and the reader on its own thread until either ends; returns what went
  // wrong on the reader's side, else on the applier's.
  std::exception_ptr run_both(apply::Applier& applier, stream::Reader& reader,
                              Wakeup& reader_wakeup, std::stop_source& end);

  Shared& shared_;
  Wakeup& apply_wakeup_;
  const std::stop_token stop_;
  std::unique_ptr<pg::Session> target_;
  std::unique_ptr<pg::Session> source_;
  std::unique_ptr<pg::PipelineConnection> apply_;
  std::unique_ptr<pg::ReplicationConnection> replication_;
  std::optional<apply::ProgressRow> row_;
  std::unique_ptr<apply::Surroundings> surroundings_;
  // Of existing publications: what the link was set up to receive, and what they give.
  std::vector<TableSupply> adopted_;
  std::vector<TableSupply> supplies_;
  // Of a publication of our own.
  Outsiders outsiders_{[this](const Relation& relation) { return root_of(relation); }};
  uint64_t resyncs_ = 0;              // asked for when the tables were looked at
  uint64_t arming_ = 0;               // asked for when the routes were read
  std::unique_ptr<Joining> joining_;  // null: nobody joins or leaves
  bool found_paused_ = false;
};

}  // namespace repld::link
