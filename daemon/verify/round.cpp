#include "verify/round.h"

#include "pg/snapshot.h"
#include "verify/described.h"

namespace repld::verify {

namespace {

void stand_in(pg::CopyConnection& connection, const pg::ExportedSnapshot& snapshot) {
  connection.exec("begin isolation level repeatable read read only");
  pg::import_snapshot(connection, snapshot);
}

int backend_pid(pg::CopyConnection& connection) {
  // Not the library's: a pooler makes up its own.
  return std::stoi(pg::text(connection.exec("select pg_backend_pid()"), 0, 0));
}

}  // namespace

Round::Round(link::Link& link, const CompareOptions& options, const std::stop_token& stop)
    : link_(link),
      source_(link.settings().source),
      target_(link.settings().target),
      source_catalog_(link.settings().source),
      target_catalog_(link.settings().target) {
  const auto fence = link.fence({}, stop);
  taken_at_ = std::chrono::steady_clock::now();
  retakes_ = fence->retakes();
  pause_seconds_ = fence->pause_seconds();
  stand_in(source_, fence->source_snapshot());
  stand_in(target_, fence->target_snapshot());
  pg::Session live(link.settings().target);
  const auto look = [&](pqxx::transaction_base& target, pqxx::transaction_base& source) {
    for (auto* transaction : {&target, &source}) {
      transaction->exec("set transaction isolation level repeatable read");
    }
    pg::import_snapshot(target, fence->target_snapshot());
    pg::import_snapshot(source, fence->source_snapshot());
    replicated_ = link.tables(live, target, source);
  };
  target_catalog_.transact([&](pqxx::transaction_base& target) {
    source_catalog_.transact([&](pqxx::transaction_base& source) { look(target, source); });
  });
  courtesy_ = std::make_unique<Courtesy>(
      std::vector<Courtesy::Watched>{{link.settings().source, backend_pid(source_)},
                                     {link.settings().target, backend_pid(target_)}},
      give_way_);
  comparison_ = std::make_unique<Comparison>(Endpoint{link.settings().source, source_},
                                             Endpoint{link.settings().target, target_}, options);
}

Round::Result Round::compare(const SourceTable& table, const std::stop_token& stop) {
  Result result;
  result.proof.table = table.name;
  std::stop_source end;
  const std::stop_callback on_stop(stop, [&] { end.request_stop(); });
  const std::stop_callback on_giving_way(give_way_.get_token(), [&] { end.request_stop(); });
  try {
    result.compared = described(source_catalog_, target_catalog_, table);
    result.proof = comparison_->compare(result.compared, end.get_token());
  } catch (const Error& error) {
    const bool gave_way = give_way_.stop_requested() && !stop.stop_requested();
    const bool lost = error.kind() == ErrorKind::connect && error.sqlstate().empty();
    if (!gave_way && (lost || stop.stop_requested())) {
      throw;
    }
    over_ = gave_way || !error.sqlstate().empty();
    result.proof.unproven =
        gave_way ? "gave way to somebody who waited for the table" : error.what();
  }
  return result;
}

std::chrono::steady_clock::duration Round::age() const {
  return std::chrono::steady_clock::now() - taken_at_;
}

}  // namespace repld::verify
