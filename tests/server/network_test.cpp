// A network that delays, cuts, refuses and goes silent between the daemon and both servers.
#include <doctest/doctest.h>

#include "support/pair.h"

using namespace repld::testing;

namespace {

// Both servers behind proxies of this test's own, a round trip of 10 ms or more.
class BadNetwork {
 public:
  BadNetwork()
      : source(supabase_like()),
        target(timeweb_like(timeweb_variant())),
        to_source(source.cluster->port(), one_way()),
        to_target(target.cluster->port(), one_way()),
        daemon(through(source, to_source), through(target, to_target), "pair") {
    for (const Platform* platform : {&source, &target}) {
      Pair::run_sql(platform->dsn, "create table t (id int primary key, v text)");
    }
    daemon.start();
  }

  void write(int first, int last) const {
    for (int i = first; i <= last; ++i) {
      Pair::run_sql(source.dsn, "insert into t values (" + std::to_string(i) +
                                    ", repeat('x', 5000)); update t set v = 'y' where id = " +
                                    std::to_string(i - 5));
    }
  }
  bool equal() const { return compare_databases(source.dsn, target.dsn, {"public.t"}).empty(); }

  static std::string through(const Platform& platform, const TcpProxy& proxy) {
    return platform.remote_dsn + " port=" + std::to_string(proxy.port());
  }
  static std::chrono::milliseconds one_way() { return std::max(5ms, round_trip() / 2); }

  Platform source;
  Platform target;
  TcpProxy to_source;
  TcpProxy to_target;
  Daemon daemon;
};

}  // namespace

TEST_SUITE("network") {
  TEST_CASE("connections that are cut again and again lose nothing and double nothing") {
    BadNetwork net;
    REQUIRE(net.daemon.wait_for("caught-up", 60s));
    for (int round = 0; round < 6; ++round) {
      net.write(round * 20 + 1, round * 20 + 20);
      (round % 2 == 0 ? net.to_source : net.to_target).cut();
    }
    REQUIRE(net.daemon.wait_for("caught-up", 60s));
    CHECK(net.equal());
    CHECK(net.daemon.replctl({"events"}).out.find("missing") == std::string::npos);
  }

  TEST_CASE("a network that refuses for a while is asked with pauses, and then used again") {
    BadNetwork net;
    REQUIRE(net.daemon.wait_for("caught-up", 60s));
    net.to_target.refuse(true);
    net.to_target.cut();
    REQUIRE(net.daemon.wait_for_state("retrying", 20s));
    const int before = net.to_target.accepted();
    net.write(1, 5);
    std::this_thread::sleep_for(4s);  // the point: few tries in this time
    CHECK(net.to_target.accepted() - before < 12);
    net.to_target.refuse(false);
    REQUIRE(net.daemon.wait_for("caught-up", 30s));
    CHECK(net.equal());
  }

  TEST_CASE("a link that goes silent with everything open loses nothing when it is cut at last") {
    BadNetwork net;
    REQUIRE(net.daemon.wait_for("caught-up", 60s));
    for (TcpProxy* proxy : {&net.to_source, &net.to_target}) {
      proxy->stall(true);
      net.write(proxy == &net.to_source ? 1 : 21, proxy == &net.to_source ? 20 : 40);
      CHECK_FALSE(net.daemon.wait_for("caught-up", 2s));
      proxy->cut();
      proxy->stall(false);
      REQUIRE(net.daemon.wait_for("caught-up", 60s));
      CHECK(net.equal());
    }
  }
}
