// How far one link has come, in positions of its source's WAL.
//
// received >= applied >= durable >= confirmed, and none of them ever goes back. `received` is
// where the stream has been read to; `applied` is committed on the target; `durable` is flushed
// there, progress row included; `confirmed` is what the slot was told, after which the source
// may forget the WAL.
//
// ConfirmMargin keeps `confirmed` behind `durable` for a while, so that a target which loses
// its last seconds in a failover is replayed from the slot.
//
// Time is an argument: milliseconds of any steady clock.
#pragma once

#include <cstdint>
#include <deque>

#include "core/lsn.h"

namespace repld {

class Progress {
 public:
  explicit Progress(Lsn start) : received_(start), applied_(start), durable_(start) {}

  // Each keeps the higher of the old and the new value.
  // Asserts applied <= received and durable <= applied.
  void receive(Lsn lsn);
  void apply(Lsn lsn);
  void make_durable(Lsn lsn);
  // Asserts confirmed <= durable.
  void confirm(Lsn lsn);

  Lsn received() const { return received_; }
  Lsn applied() const { return applied_; }
  Lsn durable() const { return durable_; }
  Lsn confirmed() const { return confirmed_; }

 private:
  Lsn received_;
  Lsn applied_;
  Lsn durable_;
  Lsn confirmed_ = Lsn::invalid;
};

class ConfirmMargin {
 public:
  // margin_ms 0 confirms at once. `bytes_max` bounds how much WAL is held for the margin alone:
  // positions further behind the newest durable one than that are confirmable whatever their age.
  ConfirmMargin(int64_t margin_ms, uint64_t bytes_max);

  // `lsn` is durable as of `now_ms`. Calls must not go back in either.
  void durable(Lsn lsn, int64_t now_ms);

  // Highest position that may be confirmed now; Lsn::invalid when there is none yet.
  // It is always one that durable() was given. Bounded memory: samples are thinned to about a
  // thousand, which may delay a position by 1/500 of the margin or of the bytes, never hasten it.
  Lsn confirmable(int64_t now_ms);

 private:
  struct Sample {
    Lsn lsn;
    int64_t since_ms;
  };
  bool same_step(const Sample& a, const Sample& b) const;
  void release(int64_t now_ms);

  const int64_t margin_ms_;
  const uint64_t bytes_max_;
  std::deque<Sample> samples_;  // ascending in both
  Lsn confirmable_ = Lsn::invalid;
};

}  // namespace repld
