// The stream thread in the simulation: stream/reader without its socket. Decoder, assembler, flow
// and margin are the real ones.
#pragma once

#include "base/bounded_queue.h"
#include "base/synchronized.h"
#include "core/flow.h"
#include "sim/fake_source.h"

namespace repld::sim {

struct ReaderOptions {
  size_t part_bytes_max = 0;
  int64_t confirm_margin_ms = 0;
  int64_t feedback_interval_ms = 0;
};

class SimReader {
 public:
  SimReader(SourceStream& stream, Lsn from, const ReaderOptions& options,
            BoundedQueue<TransactionPart>& queue, Synchronized<Flow>& flow, Wakeup& applier);

  // Takes at most one message. True when it read something.
  bool read(Random& random);
  // What is to be told to the slot, when it is due.
  std::optional<Lsn> feedback(int64_t now_ms);
  Lsn last_feedback(int64_t now_ms);

 private:
  bool push_waiting();

  SourceStream& stream_;
  const ReaderOptions options_;
  BoundedQueue<TransactionPart>& queue_;
  Synchronized<Flow>& flow_;
  Wakeup& applier_;
  TransactionAssembler assembler_;
  ConfirmMargin margin_;
  std::optional<TransactionPart> waiting_;
  bool reply_requested_ = false;
  Lsn reported_durable_ = Lsn::invalid;
  int64_t feedback_due_ms_ = 0;
};

}  // namespace repld::sim
