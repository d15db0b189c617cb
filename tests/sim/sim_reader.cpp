#include "sim/sim_reader.h"

#include "core/pgoutput.h"

namespace repld::sim {

namespace {

constexpr uint64_t kMarginBytesMax = 64ULL << 20;

}  // namespace

SimReader::SimReader(SourceStream& stream, Lsn from, const ReaderOptions& options,
                     BoundedQueue<TransactionPart>& queue, Synchronized<Flow>& flow,
                     Wakeup& applier)
    : stream_(stream),
      options_(options),
      queue_(queue),
      flow_(flow),
      applier_(applier),
      assembler_(from, options.part_bytes_max),
      margin_(options.confirm_margin_ms, kMarginBytesMax) {}

bool SimReader::read(Random& random) {
  if (!push_waiting()) {
    return false;
  }
  const std::optional<Streamed> streamed = stream_.next(random);
  if (!streamed) {
    return false;
  }
  if (const auto* payload = std::get_if<std::string>(&*streamed)) {
    waiting_ = assembler_.push(pgoutput::decode(*payload));
    if (waiting_) {
      flow_.with([&](Flow& flow) { flow.read(*waiting_); });
      push_waiting();
    }
    return true;
  }
  const auto& told = std::get<StreamedKeepalive>(*streamed);
  const Keepalive keepalive{told.wal_end, 0, told.reply_requested};
  reply_requested_ = reply_requested_ || keepalive.reply_requested;
  if (!assembler_.in_transaction()) {
    flow_.with([&](Flow& flow) { flow.read(keepalive); });
    applier_.notify();
  }
  return true;
}

bool SimReader::push_waiting() {
  if (waiting_ && queue_.try_push(*waiting_, waiting_->bytes())) {
    waiting_.reset();
  }
  return !waiting_;
}

std::optional<Lsn> SimReader::feedback(int64_t now_ms) {
  const Lsn durable = flow_.with([](Flow& flow) { return flow.progress.durable(); });
  const bool prompt = options_.confirm_margin_ms == 0 && durable != reported_durable_;
  if (!reply_requested_ && !prompt && now_ms < feedback_due_ms_) {
    return std::nullopt;
  }
  return last_feedback(now_ms);
}

Lsn SimReader::last_feedback(int64_t now_ms) {
  const Lsn confirmed = flow_.with([&](Flow& flow) {
    reported_durable_ = flow.progress.durable();
    return flow.confirm(margin_);
  });
  reply_requested_ = false;
  feedback_due_ms_ = now_ms + options_.feedback_interval_ms;
  return confirmed;
}

}  // namespace repld::sim
