#include "core/flow.h"

#include <doctest/doctest.h>

using namespace repld;

namespace {

TransactionPart part_of(bool last, uint64_t end_lsn) {
  TransactionPart part;
  part.last = last;
  part.end_lsn = Lsn{end_lsn};
  return part;
}

Keepalive keepalive(uint64_t wal_end, bool reply_requested) {
  return {Lsn{wal_end}, 0, reply_requested};
}

}  // namespace

TEST_CASE("what was received moves with the last part of a transaction") {
  Flow flow(Lsn{0x100});
  flow.read(part_of(false, 0));
  CHECK(flow.progress.received() == Lsn{0x100});
  flow.read(part_of(true, 0x160));
  CHECK(flow.progress.received() == Lsn{0x160});
  CHECK(flow.parts_read == 2);
}

TEST_CASE("an idle position counts after the parts that were read before it") {
  Flow flow(Lsn{0x100});
  flow.read(part_of(true, 0x160));
  flow.read(keepalive(0x200, true));
  CHECK(flow.idle.lsn == Lsn{0x200});
  CHECK(flow.idle.after_parts == 1);
  flow.read(part_of(true, 0x260));
  flow.read(keepalive(0x150, false));
  CHECK(flow.idle.lsn == Lsn{0x200});
  CHECK(flow.idle.after_parts == 2);
  CHECK(flow.idle.prompt);
  CHECK(flow.progress.received() == Lsn{0x260});
}

TEST_CASE("the slot is told what has been durable for the margin, and never less than before") {
  Flow flow(Lsn{0x100});
  ConfirmMargin margin(1000, uint64_t{1} << 30);
  flow.progress.receive(Lsn{0x200});
  flow.progress.apply(Lsn{0x200});
  flow.progress.make_durable(Lsn{0x180});
  CHECK(flow.confirm(margin) == Lsn::invalid);
  flow.target_seen_ms = 999;
  CHECK(flow.confirm(margin) == Lsn::invalid);
  flow.progress.make_durable(Lsn{0x200});
  flow.target_seen_ms = 1000;
  CHECK(flow.confirm(margin) == Lsn{0x180});
  flow.target_seen_ms = 1500;
  CHECK(flow.confirm(margin) == Lsn{0x180});
  flow.target_seen_ms = 2000;
  CHECK(flow.confirm(margin) == Lsn{0x200});
}

TEST_CASE("time in which the target says nothing does not count for the margin") {
  Flow flow(Lsn{0x100});
  ConfirmMargin margin(1000, uint64_t{1} << 30);
  flow.target_seen_ms = 5000;
  for (int call = 0; call < 100; ++call) {
    CHECK(flow.confirm(margin) == Lsn::invalid);
  }
}
