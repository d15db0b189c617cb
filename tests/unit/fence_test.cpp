#include "core/fence.h"

#include <doctest/doctest.h>

#include "core/error.h"

using namespace repld;
using Step = FenceDecision::Step;

namespace {

SourceSnapshot snapshot(const char* text) { return SourceSnapshot::parse(text); }

}  // namespace

TEST_CASE("a snapshot sees what had ended when it was taken") {
  const SourceSnapshot seen = snapshot("100:110:100,104,109");
  for (const uint32_t xid : {3U, 99U, 101U, 103U, 105U, 108U}) {
    CHECK_MESSAGE(seen.sees(xid), xid);
  }
  for (const uint32_t xid : {100U, 104U, 109U, 110U, 111U, 2000000000U}) {
    CHECK_MESSAGE(!seen.sees(xid), xid);
  }
  CHECK(snapshot("7:7:").sees(6));
  CHECK_FALSE(snapshot("7:7:").sees(7));
}

TEST_CASE("ids wrap, and a snapshot past the wrap still knows them") {
  // 2^32 + 2, with one open from before the wrap.
  const SourceSnapshot seen = snapshot("4294967290:4294967298:4294967290,4294967297");
  CHECK_FALSE(seen.sees(4294967290U));
  CHECK(seen.sees(4294967291U));
  CHECK(seen.sees(4294967295U));
  CHECK(seen.sees(0));
  CHECK_FALSE(seen.sees(1));
  CHECK_FALSE(seen.sees(2));
  CHECK(xid_precedes(4294967295U, 3));
  CHECK_FALSE(xid_precedes(3, 4294967295U));
  CHECK_FALSE(xid_precedes(3, 3));
}

TEST_CASE("what is no snapshot is refused") {
  for (const char* text : {"", "1", "1:2", "1:2:x", "1:2:3,", "a:2:", "1:2:3;4", "-1:2:"}) {
    CHECK_THROWS_AS(SourceSnapshot::parse(text), Error);
  }
}

TEST_CASE("what a snapshot sees is applied until its position is passed") {
  FenceDecision fence(snapshot("100:110:105"), Lsn{1000});
  CHECK(fence.offer(101, Lsn{900}) == Step::apply);
  CHECK(fence.offer(99, Lsn{950}) == Step::apply);
  CHECK(fence.pass(Lsn{999}) == Step::hold_back);
  CHECK(fence.offer(111, Lsn{1000}) == Step::reached);
  CHECK(fence.pass(Lsn{1000}) == Step::reached);
  CHECK_FALSE(fence.held_back());
}

TEST_CASE("what committed too late to be seen is held back, with all behind it") {
  FenceDecision fence(snapshot("100:110:105,107"), Lsn{1000});
  CHECK(fence.offer(101, Lsn{900}) == Step::apply);
  CHECK(fence.offer(105, Lsn{910}) == Step::hold_back);
  CHECK(fence.offer(107, Lsn{920}) == Step::hold_back);
  CHECK(fence.held_back() == 105U);
  CHECK(fence.offer(112, Lsn{1010}) == Step::reached);
}

TEST_CASE("a snapshot that shows no prefix of the commit order is taken again") {
  FenceDecision fence(snapshot("100:110:105"), Lsn{1000});
  CHECK(fence.offer(105, Lsn{910}) == Step::hold_back);
  CHECK(fence.offer(106, Lsn{920}) == Step::retake);
  CHECK(fence.held_back() == 105U);
}

TEST_CASE("a snapshot must show everything that was applied") {
  AppliedXids applied(100);
  applied.add(120);
  applied.add(118);
  CHECK(applied.unseen(snapshot("118:119:118")) == 120U);
  CHECK(applied.unseen(snapshot("119:121:119")) == std::nullopt);
  CHECK(applied.unseen(snapshot("119:120:119")) == 120U);
  applied.forget_seen(snapshot("119:120:119"));
  CHECK(applied.unseen(snapshot("119:121:119")) == std::nullopt);
  // Older than what was seen.
  CHECK(applied.unseen(snapshot("118:121:118")) == 118U);
}

TEST_CASE("what an earlier session applied must be past") {
  const AppliedXids applied(100);
  CHECK(applied.unseen(snapshot("99:105:99")) == 99U);
  CHECK(applied.unseen(snapshot("100:105:100")) == std::nullopt);
  // 2^32 + 5: the ids have wrapped since.
  CHECK(AppliedXids(4294967290U).unseen(snapshot("4294967301:4294967301:")) == std::nullopt);
  CHECK(AppliedXids(5).unseen(snapshot("4294967290:4294967301:4294967290")) == 4294967290U);
}

TEST_CASE("a session may outlive half of all ids") {
  AppliedXids applied(100);
  applied.forget_seen(snapshot("2000000000:2000000000:"));
  applied.add(2000000001);
  CHECK(applied.unseen(snapshot("3000000000:3000000000:")) == std::nullopt);
  CHECK(applied.unseen(snapshot("2000000001:2000000005:2000000001")) == 2000000001U);
}

TEST_CASE("more than is kept asks for a snapshot past all of it") {
  AppliedXids applied(100, 2);
  applied.add(130);
  applied.add(120);
  CHECK(applied.unseen(snapshot("125:140:125")) == std::nullopt);
  applied.add(121);
  CHECK(applied.unseen(snapshot("125:140:125")) == 125U);
  CHECK(applied.unseen(snapshot("131:140:131")) == std::nullopt);
}
