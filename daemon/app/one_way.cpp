#include "app/one_way.h"

#include "copy/initial_copy.h"
#include "core/direction.h"
#include "verify/make_equal.h"

namespace repld::app {

OneWay::OneWay(const link::Settings& settings, const Metrics& all, Exit exit, OneWay* forward)
    : metrics_(settings.config.link.name, &all),
      exit_(std::move(exit)),
      opposite_(forward),
      link_(settings, hooks(), forward == nullptr ? nullptr : &forward->link_),
      verifier_(link_, settings.config.verify),
      healer_(link_) {
  if (forward != nullptr) {
    forward->opposite_ = this;
  }
}

void OneWay::start() {
  link_.start();
  verifier_.start();
  healer_.start();
}

void OneWay::stop_working() {
  verifier_.stop();
  healer_.stop();
}

void OneWay::copy_tables(const link::CopyRequest& request) {
  const link::Settings& settings = link_.settings();
  // First: it may fail, and a copy be in vain.
  if (!request.filled.empty()) {
    verify::make_equal(settings, request);
  }
  const copy::CopyPlan plan = {
      settings.config.link.name,    request.snapshot, request.guard_nonce, request.owner,
      settings.config.copy.workers, request.tables,   request.targets};
  copy::copy_tables(settings.source, settings.target, plan, {request.progress, request.finished},
                    request.stop);
}

link::Hooks OneWay::hooks() {
  link::Hooks hooks;
  hooks.copy_tables = [this](const link::CopyRequest& request) { copy_tables(request); };
  hooks.rows_applied = [this](const std::string& table, int64_t inserted, int64_t updated,
                              int64_t deleted) {
    metrics_.rows_applied(table, inserted, updated, deleted);
  };
  hooks.batch_applied = [this](int64_t transactions, int64_t rows, double seconds) {
    metrics_.batch_applied(transactions, rows, seconds);
  };
  hooks.rows_drifted = [this](const std::string& table, int64_t missing, int64_t unexpected) {
    metrics_.rows_drifted(table, missing, unexpected);
  };
  hooks.rogue = [this](const TableName& table, int64_t changes) {
    metrics_.rogue_changes(table.full(), changes);
    if (opposite_ != nullptr) {
      opposite_->link_.suspect(table, kRogueSuspicion);
    }
  };
  hooks.missing = [this] { healer_.wake(); };
  hooks.overtaken = [this] { verifier_.look_again(); };
  hooks.bytes_copied = [this](const std::string& table, int64_t bytes) {
    metrics_.bytes_copied(table, bytes);
  };
  hooks.failed = [this](const Error& error) { metrics_.failed(error); };
  hooks.reconnected = [this](Side of_link) {
    const bool source = of_link == Side::source;
    const bool forward = !is_reverse(link_.settings().config.link.name);
    metrics_.reconnected(source == forward ? Side::source : Side::target);
  };
  hooks.exit = exit_;
  return hooks;
}

link::Settings mirrored(const link::Settings& settings) {
  link::Settings back = settings;
  back.config = repld::mirrored(settings.config);
  std::swap(back.source, back.target);
  return back;
}

}  // namespace repld::app
