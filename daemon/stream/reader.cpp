#include "stream/reader.h"

#include <algorithm>

#include "base/failpoint.h"

namespace repld::stream {

namespace {

// WAL that the margin alone may hold on the source.
constexpr uint64_t kMarginBytesMax = 64ULL << 20;

// Microseconds since 2000-01-01 UTC, as the protocol counts.
int64_t client_time_us() {
  constexpr int64_t kUnixToPostgresSeconds = 946'684'800;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::microseconds>(now).count() -
         kUnixToPostgresSeconds * 1'000'000;
}

}  // namespace

Reader::Reader(pg::ReplicationConnection& connection, Lsn from, const ReaderOptions& options,
               PartQueue& queue, Synchronized<Flow>& flow, Wakeup& wakeup, Wakeup& applier)
    : connection_(connection),
      options_(options),
      queue_(queue),
      flow_(flow),
      wakeup_(wakeup),
      applier_(applier),
      assembler_(from, options.part_bytes_max, options.wanted, options.echo),
      margin_(options.confirm_margin_ms, kMarginBytesMax),
      feedback_due_(Clock::now()) {}

void Reader::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    wakeup_.drain();
    const bool room = push_waiting();
    if (room) {
      read_frames();
    }
    const Lsn durable = flow_.with([](Flow& flow) { return flow.progress.durable(); });
    // With no margin a commit on the source may be waiting for this answer.
    const bool prompt = options_.confirm_margin_ms == 0 && durable != reported_durable_;
    if (reply_requested_ || prompt || Clock::now() >= feedback_due_) {
      send_feedback();
    }
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(feedback_due_ - Clock::now());
    const int timeout_ms = static_cast<int>(std::max<int64_t>(left.count(), 0)) + 1;
    poll_socket(waiting_ ? -1 : connection_.socket(), !connection_.flush(), wakeup_, timeout_ms);
  }
  send_feedback();
}

void Reader::read_frames() {
  while (!waiting_ && Clock::now() < feedback_due_) {
    const auto frame = connection_.next_frame();
    if (!frame) {
      return;
    }
    std::visit([this](const auto& decoded) { take(decoded); }, decode_wal_frame(*frame));
  }
}

void Reader::take(const WalData& data) {
  waiting_ = assembler_.push(pgoutput::decode(data.payload));
  if (!waiting_) {
    return;
  }
  flow_.with([&](Flow& flow) { flow.read(*waiting_); });
  push_waiting();
}

void Reader::take(const Keepalive& keepalive) {
  reply_requested_ = reply_requested_ || keepalive.reply_requested;
  if (!assembler_.in_transaction()) {
    flow_.with([&](Flow& flow) { flow.read(keepalive); });
    applier_.notify();
  }
}

bool Reader::push_waiting() {
  if (waiting_ && queue_.try_push(*waiting_, waiting_->bytes())) {
    waiting_.reset();
  }
  return !waiting_;
}

void Reader::send_feedback() {
  failpoint("stream.before_feedback");
  const auto now = Clock::now();
  const StandbyStatus status = flow_.with([&](Flow& flow) {
    const Lsn confirmed = flow.confirm(margin_);
    reported_durable_ = flow.progress.durable();
    return StandbyStatus{flow.progress.received(), confirmed, confirmed, client_time_us()};
  });
  connection_.send(encode(status));
  reply_requested_ = false;
  feedback_due_ = now + std::chrono::milliseconds(options_.feedback_interval_ms);
}

}  // namespace repld::stream
