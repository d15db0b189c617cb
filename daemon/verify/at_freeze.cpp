#include "verify/at_freeze.h"

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include "pg/snapshot.h"
#include "verify/compare.h"
#include "verify/described.h"
#include "verify/digest_choice.h"

namespace repld::verify {

namespace {

using Clock = std::chrono::steady_clock;

// Of one that was never compared.
constexpr double kUnknownSeconds = 0.02;

// Requests a stop at a point in time.
class Alarm {
 public:
  explicit Alarm(Clock::time_point at)
      : thread_([this, at](const std::stop_token& stop) {
          std::unique_lock lock(mutex_);
          rung_.wait_until(lock, stop, at, [] { return false; });
          if (!stop.stop_requested()) {
            source_.request_stop();
          }
        }) {}

  std::stop_token token() const { return source_.get_token(); }

 private:
  std::stop_source source_;
  std::mutex mutex_;
  std::condition_variable_any rung_;
  std::jthread thread_;
};

std::map<TableName, double> last_seconds(pg::Session& target, const std::string& link) {
  std::map<TableName, double> seconds;
  for (const auto& row : target.exec_params(
           "select distinct on (schema_name, table_name) schema_name, table_name, seconds "
           "from repld.verification where link = $1 and unproven is null "
           "order by schema_name, table_name, id desc",
           link)) {
    seconds[{row[0].c_str(), row[1].c_str()}] = row[2].as<double>();
  }
  return seconds;
}

// In transactions, which it asks for.
Digest common_digest(pg::CopyConnection& source, pg::CopyConnection& target) {
  source.exec("begin");
  target.exec("begin");
  const Digest digest = choose_digest(source, target);
  source.exec("rollback");
  target.exec("rollback");
  return digest;
}

void stand_in(pg::CopyConnection& connection, const pg::ExportedSnapshot& snapshot) {
  connection.exec("begin isolation level repeatable read read only");
  pg::import_snapshot(connection, snapshot);
}

}  // namespace

FreezeProver::FreezeProver(link::Link& link, const std::vector<TableName>& tables)
    : source_server_(link.settings().source),
      target_server_(link.settings().target),
      source_(source_server_),
      target_(target_server_),
      digest_(common_digest(source_, target_)) {
  pg::Session source(source_server_);
  pg::Session target(target_server_);
  pg::Session live(target_server_);
  const link::ReplicatedTables replicated = target.transact([&](pqxx::transaction_base& there) {
    return source.transact(
        [&](pqxx::transaction_base& here) { return link.tables(live, there, here); });
  });
  const auto seconds = last_seconds(target, link.settings().config.link.name);
  for (const TableName& name : tables) {
    const auto found = std::find_if(replicated.tables.begin(), replicated.tables.end(),
                                    [&](const SourceTable& table) { return table.name == name; });
    if (found == replicated.tables.end()) {
      unprovable_.push_back(name);
      continue;
    }
    const auto known = seconds.find(name);
    tables_.push_back({described(source, target, *found),
                       known == seconds.end() ? kUnknownSeconds : known->second});
  }
  std::stable_sort(tables_.begin(), tables_.end(),
                   [](const Table& a, const Table& b) { return a.seconds < b.seconds; });
}

FreezeProof FreezeProver::prove(const link::Fence& fence, Clock::time_point until,
                                const std::stop_token& stop) {
  stand_in(source_, fence.source_snapshot());
  stand_in(target_, fence.target_snapshot());
  Comparison comparison({source_server_, source_}, {target_server_, target_}, digest_);
  const Alarm alarm(until);
  std::stop_source end;
  const std::stop_callback on_stop(stop, [&] { end.request_stop(); });
  const std::stop_callback on_alarm(alarm.token(), [&] { end.request_stop(); });
  FreezeProof proof;
  proof.left_out = unprovable_;
  bool in_time = true;
  for (const Table& table : tables_) {
    in_time = in_time && Clock::now() + std::chrono::duration<double>(table.seconds) <= until;
    if (!in_time) {
      proof.left_out.push_back(table.compared.name);
      continue;
    }
    try {
      proof.tables.push_back(comparison.compare(table.compared, end.get_token()));
    } catch (const Error&) {
      if (stop.stop_requested() || !end.stop_requested()) {
        throw;
      }
      in_time = false;
      proof.left_out.push_back(table.compared.name);
    }
  }
  return proof;
}

}  // namespace repld::verify
