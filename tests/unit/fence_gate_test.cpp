#include "link/fence_gate.h"

#include <doctest/doctest.h>

#include <future>
#include <thread>

#include "core/error.h"

using namespace repld;
using link::FenceGate;
using Verdict = FenceGate::Verdict;

namespace {

SourceSnapshot snapshot(const char* text) { return SourceSnapshot::parse(text); }

// A gate between a queue and an applier that does at once what it is asked for.
struct Bench {
  explicit Bench(size_t kept_bytes_max = size_t{1} << 20, uint32_t baseline = 100)
      : gate(
            [this]() -> std::optional<TransactionPart> {
              if (queue.empty()) {
                return std::nullopt;
              }
              TransactionPart part = std::move(queue.front());
              queue.pop_front();
              return part;
            },
            flow, wakeup, baseline, kept_bytes_max) {}

  void arrive(uint32_t xid, uint64_t commit_lsn, bool first = true, bool last = true) {
    TransactionPart part;
    part.xid = xid;
    part.commit_lsn = Lsn{commit_lsn};
    part.end_lsn = Lsn{commit_lsn + 10};
    part.first = first;
    part.last = last;
    part.arena = std::string(100, 'x');
    flow.with([&](Flow& it) { it.read(part); });
    queue.push_back(std::move(part));
  }
  void keepalive(uint64_t wal_end) {
    flow.with([&](Flow& it) { it.read(Keepalive{Lsn{wal_end}, 0, false}); });
  }
  void close_and_judge(const char* seen, uint64_t insert_lsn) {
    REQUIRE(gate.try_close());
    gate.start_judging(snapshot(seen), Lsn{insert_lsn});
  }
  std::vector<uint32_t> taken() {
    std::vector<uint32_t> xids;
    while (const auto part = gate.next()) {
      xids.push_back(part->xid);
    }
    return xids;
  }
  void flush() {
    flow.with([](Flow& it) { it.flush_done = it.flush_wanted; });
  }
  // After the applier has looked for more.
  std::optional<Verdict> verdict() {
    CHECK(taken().empty());
    const auto judgement = gate.verdict();
    return judgement ? std::optional(judgement->verdict) : std::nullopt;
  }

  std::deque<TransactionPart> queue;
  Synchronized<Flow> flow{Lsn{1}};
  Wakeup wakeup;
  FenceGate gate;
};

using Xids = std::vector<uint32_t>;

}  // namespace

TEST_CASE("what a gate lets through, and what came of it") {
  struct Row {
    const char* name;
    const char* seen;
    std::vector<std::pair<uint32_t, uint64_t>> arrived;  // xid, position of the commit record
    uint64_t keepalive;
    Xids passed;
    std::optional<Verdict> verdict;  // once all that passed is flushed
    Xids kept;                       // passes once it is open
  };
  // L is 1000.
  const std::vector<Row> rows = {
      {"nothing yet", "110:110:", {}, 999, {}, std::nullopt, {}},
      {"idle at L", "110:110:", {}, 1000, {}, Verdict::reached, {}},
      {"seen", "110:110:", {{101, 900}}, 0, {101}, std::nullopt, {}},
      {"seen, then idle", "110:110:", {{101, 900}}, 1000, {101}, Verdict::reached, {}},
      {"one from L on", "110:110:", {{101, 900}, {105, 1000}}, 0, {101}, Verdict::reached, {105}},
      {"unseen", "102:110:102", {{101, 900}, {102, 910}}, 0, {101}, std::nullopt, {102}},
      {"unseen, idle", "102:110:102", {{102, 910}}, 1000, {}, Verdict::reached, {102}},
      {"unseen, one from L on",
       "102:110:102",
       {{102, 910}, {111, 1010}},
       0,
       {},
       Verdict::reached,
       {102, 111}},
      {"seen behind unseen",
       "102:110:102",
       {{102, 910}, {103, 920}},
       0,
       {},
       Verdict::retake,
       {102, 103}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    Bench bench;
    for (const auto& [xid, lsn] : row.arrived) {
      bench.arrive(xid, lsn);
    }
    if (row.keepalive > 0) {
      bench.keepalive(row.keepalive);
    }
    bench.close_and_judge(row.seen, 1000);
    CHECK(bench.taken() == row.passed);
    CHECK(bench.gate.verdict().has_value() == (row.verdict == Verdict::retake));
    bench.flush();
    CHECK(bench.verdict() == row.verdict);
    bench.gate.open();
    CHECK(bench.taken() == row.kept);
  }
}

TEST_CASE("a closed gate lets nothing through but the rest of a transaction") {
  Bench bench;
  bench.arrive(101, 900, true, false);
  REQUIRE(bench.gate.next()->xid == 101);
  REQUIRE(bench.gate.try_close());
  bench.arrive(101, 900, false, false);
  bench.arrive(101, 900, false, true);
  bench.arrive(102, 950);
  CHECK(bench.taken() == Xids{101, 101});
  bench.gate.start_judging(snapshot("110:110:"), Lsn{1000});
  CHECK(bench.taken() == Xids{102});
}

TEST_CASE("a transaction in parts passes whole or not at all") {
  Bench bench;
  const auto arrive = [&](uint32_t xid, uint64_t lsn) {
    bench.arrive(xid, lsn, true, false);
    bench.arrive(xid, lsn, false, true);
  };
  arrive(101, 900);
  arrive(102, 910);
  arrive(111, 1000);
  bench.close_and_judge("102:110:102", 1000);
  CHECK(bench.taken() == Xids{101, 101});
  bench.flush();
  CHECK(bench.verdict() == Verdict::reached);
  bench.gate.open();
  CHECK(bench.taken() == Xids{102, 102, 111, 111});
}

TEST_CASE("what was kept goes first, before what has arrived since") {
  Bench bench;
  bench.arrive(102, 900);
  bench.close_and_judge("102:110:102", 1000);
  CHECK(bench.taken().empty());
  bench.arrive(104, 910);
  bench.gate.open();
  bench.arrive(105, 920);
  CHECK(bench.taken() == Xids{102, 104, 105});
}

TEST_CASE("what is kept is bounded: beyond that the snapshot is taken again") {
  Bench bench(250);
  bench.arrive(102, 900);
  bench.close_and_judge("102:110:102", 1000);
  CHECK(bench.verdict() == std::nullopt);
  bench.arrive(111, 910);
  bench.arrive(112, 920);
  bench.arrive(113, 930);
  CHECK(bench.verdict() == Verdict::retake);
  CHECK(bench.gate.verdict()->in_the_way == 102U);
  CHECK(bench.queue.size() == 1);
  bench.gate.open();
  CHECK(bench.taken() == Xids{102, 111, 112, 113});
}

TEST_CASE("a keepalive counts once all that was sent before it was looked at") {
  Bench bench;
  bench.arrive(101, 900);
  bench.keepalive(1000);
  const TransactionPart on_its_way = std::move(bench.queue.front());
  bench.queue.clear();
  bench.close_and_judge("110:110:", 1000);
  bench.flush();
  CHECK(bench.verdict() == std::nullopt);
  bench.queue.push_back(on_its_way);
  CHECK(bench.taken() == Xids{101});
  bench.flush();
  CHECK(bench.verdict() == Verdict::reached);
}

TEST_CASE("a fence asks the target once more, even when nothing was left to apply") {
  Bench bench;
  bench.keepalive(1000);
  bench.flush();
  bench.close_and_judge("110:110:", 1000);
  CHECK(bench.verdict() == std::nullopt);
  bench.flush();
  CHECK(bench.verdict() == Verdict::reached);
}

TEST_CASE("a snapshot that misses what was handed out is taken again") {
  Bench bench;
  bench.arrive(104, 900);
  CHECK(bench.taken() == Xids{104});
  bench.close_and_judge("104:110:104", 1000);
  CHECK(bench.gate.verdict()->verdict == Verdict::retake);
  CHECK(bench.gate.verdict()->in_the_way == 104U);
  bench.gate.open();
  bench.close_and_judge("110:110:", 1000);
  CHECK_FALSE(bench.gate.verdict());
}

TEST_CASE("a snapshot of another session does not vouch for an older one of a fence") {
  Bench bench;
  bench.arrive(104, 900);
  CHECK(bench.taken() == Xids{104});
  REQUIRE(bench.gate.try_close());
  bench.gate.seen(snapshot("110:110:"));
  bench.gate.start_judging(snapshot("104:110:104"), Lsn{1000});
  CHECK(bench.gate.verdict()->verdict == Verdict::retake);
}

TEST_CASE("one fence at a time") {
  Bench bench;
  REQUIRE(bench.gate.try_close());
  CHECK_FALSE(bench.gate.try_close());
  bench.gate.open();
  CHECK(bench.gate.try_close());
}

TEST_CASE("a gate is closed once what has arrived is taken, not while the applier is behind") {
  Bench bench;
  bench.arrive(101, 900);
  auto closing = std::async(std::launch::async, [&] {
    return bench.gate.close(FenceGate::Clock::now() + std::chrono::hours(1), {});
  });
  CHECK(closing.wait_for(std::chrono::milliseconds(100)) == std::future_status::timeout);
  CHECK(bench.taken() == Xids{101});
  CHECK(closing.get());
  bench.arrive(102, 910);
  CHECK(bench.taken().empty());
}

TEST_CASE("a gate is not closed amid a transaction because its next part has not arrived yet") {
  Bench bench;
  bench.arrive(101, 900, true, false);
  auto closing = std::async(std::launch::async, [&] {
    return bench.gate.close(FenceGate::Clock::now() + std::chrono::hours(1), {});
  });
  CHECK(bench.taken() == Xids{101});
  CHECK(closing.wait_for(std::chrono::milliseconds(100)) == std::future_status::timeout);
  bench.arrive(101, 900, false, true);
  CHECK(bench.taken() == Xids{101});
  CHECK(closing.get());
}

TEST_CASE("who waited for another fence waits for the applier anew") {
  Bench bench;
  REQUIRE(bench.gate.try_close());
  auto closing = std::async(std::launch::async, [&] {
    return bench.gate.close(FenceGate::Clock::now() + std::chrono::hours(1), {});
  });
  CHECK(closing.wait_for(std::chrono::milliseconds(2200)) == std::future_status::timeout);
  bench.arrive(101, 900);
  bench.gate.open();
  CHECK(closing.wait_for(std::chrono::milliseconds(100)) == std::future_status::timeout);
  CHECK(bench.taken() == Xids{101});
  CHECK(closing.get());
}

TEST_CASE("who waits is late at the deadline, and hears of the end of the session") {
  Bench bench;
  const auto judge = [&](std::chrono::milliseconds wait) {
    return bench.gate.judge(snapshot("110:110:"), Lsn{1000}, FenceGate::Clock::now() + wait, {});
  };
  const auto soon = [] { return FenceGate::Clock::now() + std::chrono::milliseconds(20); };
  CHECK(bench.gate.close(soon(), {}));
  CHECK_FALSE(bench.gate.close(FenceGate::Clock::now(), {}));
  CHECK(judge(std::chrono::milliseconds(1)).verdict == Verdict::late);
  bench.gate.open();
  CHECK(bench.gate.close(soon(), {}));
  std::jthread session([&] { bench.gate.end(); });
  CHECK_THROWS_AS(judge(std::chrono::hours(1)), Error);
  session.join();
  CHECK_THROWS_AS(bench.gate.require_standing(), Error);
  bench.gate.open();
  CHECK_THROWS_AS(bench.gate.close(soon(), {}), Error);
}
