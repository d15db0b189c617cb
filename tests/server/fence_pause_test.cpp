// How long a fence keeps the applier from going on, told in round trips: far servers are what makes
// them dear, and a machine with other things to do does not change their number.
#include <doctest/doctest.h>

#include "server/existing_links.h"
#include "server/verify_runs.h"
#include "support/tcp_proxy.h"

using namespace repld::testing;

namespace {

constexpr auto kOneWay = 50ms;
constexpr double kRoundTripSeconds = 0.1;

// Of the shortest of three fences under load, in round trips to a server that is far away.
double round_trips(bool far_target) {
  Pair pair;
  pair.on_both("create table t (id int primary key, n int)");
  TcpProxy to_source(pair.source.remote_port());
  TcpProxy to_target(pair.target.remote_port());
  replace_in_config(pair.daemon, fmt::format("port={} ", pair.source.remote_port()),
                    fmt::format("port={} ", to_source.port()));
  replace_in_config(pair.daemon, fmt::format("port={} ", pair.target.remote_port()),
                    fmt::format("port={} ", to_target.port()));
  REQUIRE(pair.begin());
  to_source.delay(kOneWay);
  if (far_target) {
    to_target.delay(kOneWay);
  }
  // So that there is always something on its way to the target.
  const Writers writers(pair, 2, [](pqxx::nontransaction& session, int64_t number) {
    session.exec(fmt::format("insert into t values ({}, 1)", number));
  });
  double shortest = 1e9;
  for (int round = 0; round < 3; ++round) {
    CAPTURE(round);
    const auto proofs = verify(pair);
    CHECK(differences(proofs) == "");
    shortest = std::min(shortest, proofs["pause_seconds_max"].get<double>());
  }
  MESSAGE(fmt::format("{:.1f} round trips", shortest / kRoundTripSeconds));
  return shortest / kRoundTripSeconds;
}

}  // namespace

TEST_SUITE("fence_pause") {
  TEST_CASE("a fence keeps the applier for three round trips: position, changes, snapshot") {
    const double trips = round_trips(true);
    CHECK(trips > 2);  // the delay is there
    CHECK(trips < 4);
  }

  TEST_CASE("a source that is far away costs a fence one round trip") {
    const double trips = round_trips(false);
    CHECK(trips > 0.9);
    CHECK(trips < 1.9);
  }
}
