#include "core/verify_schedule.h"

#include <doctest/doctest.h>

using namespace repld;

namespace {

using Names = std::vector<std::string>;

TableStatus table(const std::string& name, std::optional<double> proven_at = std::nullopt) {
  TableStatus status;
  status.schema = "public";
  status.name = name;
  status.state = TableState::copied;
  if (proven_at) {
    status.proof = ProofStatus{*proven_at};
  }
  return status;
}

// Every 100 s, of public.log* every 1000 s, of public.never only on demand.
VerifyConfig config() {
  VerifyConfig config;
  config.every_ms = 100'000;
  config.schedule = {{{"public.log*"}, 1'000'000}, {{"public.never", "public.l*"}, 0}};
  return config;
}

}  // namespace

TEST_CASE("the first schedule that names a table counts") {
  CHECK(verify_every_ms(config(), "public.t") == 100'000);
  CHECK(verify_every_ms(config(), "public.log_2026") == 1'000'000);
  CHECK(verify_every_ms(config(), "public.never") == 0);
  CHECK(verify_every_ms(config(), "public.l") == 0);
}

TEST_CASE("a table is due once its time has passed since its proof, or since it was copied") {
  const VerifySchedule schedule(config());
  CHECK(schedule.due({table("t")}, 5000).tables == Names{"public.t"});
  CHECK(schedule.due({table("t", 4900)}, 5000).tables == Names{"public.t"});
  const auto later = schedule.due({table("t", 4950)}, 5000);
  CHECK(later.tables.empty());
  CHECK(later.next == 5050);
  CHECK(schedule.due({table("log", 4100)}, 5000).next == 5100);
  CHECK(schedule.due({table("log", 4000)}, 5000).tables == Names{"public.log"});
}

TEST_CASE("what is proven on demand only, and what is not copied, is never due") {
  const VerifySchedule schedule(config());
  TableStatus pending = table("t");
  pending.state = TableState::pending;
  const auto due = schedule.due({table("never"), pending}, 5000);
  CHECK(due.tables.empty());
  CHECK(due.next == std::numeric_limits<double>::infinity());
}

TEST_CASE("a table that was looked at rests, whatever came of it") {
  VerifySchedule schedule(config());
  schedule.looked_at("public.t", 5000);
  CHECK(schedule.due({table("t")}, 5050).tables.empty());
  CHECK(schedule.due({table("t", 4000)}, 5099).next == 5100);
  CHECK(schedule.due({table("t", 4000)}, 5100).tables == Names{"public.t"});
}

TEST_CASE("who will be due soon comes along, and asks for no round") {
  const VerifySchedule schedule(config());
  CHECK(schedule.due({table("a", 4900), table("b", 4909), table("c", 4950)}, 5000).tables ==
        Names{"public.a", "public.b"});
  const auto none = schedule.due({table("b", 4909)}, 5000);
  CHECK(none.tables.empty());
  CHECK(none.next == 5009);
}

TEST_CASE("looks of the future, by a clock that was ahead, do not put the next one off") {
  VerifySchedule schedule(config());
  CHECK(schedule.due({table("t", 9000)}, 5000).tables == Names{"public.t"});
  schedule.looked_at("public.t", 5000);
  CHECK(schedule.due({table("t", 9000)}, 5000).next == 5100);
  CHECK(schedule.due({table("t", 9000)}, 5100).tables == Names{"public.t"});
  CHECK(schedule.due({table("t", 9000)}, 4000).tables == Names{"public.t"});
}

TEST_CASE("a look at rows that were copied afresh since does not count") {
  VerifySchedule schedule(config());
  schedule.looked_at("public.t", 5000);
  TableStatus afresh = table("t");
  afresh.copied_at = 5010;
  CHECK(schedule.due({afresh}, 5020).tables == Names{"public.t"});
}

TEST_CASE("proofs that were overtaken are those of tables that are proven by the clock at all") {
  const VerifySchedule schedule(config());
  TableStatus doubted = table("t", 4999);
  doubted.proof->suspicion = kDriftSuspicion;
  TableStatus on_demand = table("never", 4999);
  on_demand.proof->suspicion = kDriftSuspicion;
  CHECK(schedule.overtaken({doubted, on_demand, table("u", 4999), table("v")}) ==
        Names{"public.t"});
}
