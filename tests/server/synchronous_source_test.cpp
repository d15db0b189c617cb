// A source whose commits wait until the link has confirmed them. They stream before the source
// shows them, so whatever waits to be shown before it applies them waits for itself.
#include <doctest/doctest.h>

#include <future>

#include "support/pair.h"

using namespace repld::testing;

TEST_SUITE("synchronous_source") {
  TEST_CASE("commits that wait for the link end, whatever they did") {
    PairOptions options;
    options.link_extra = "confirm_margin = \"0\"";
    Pair pair(options);
    pair.on_both(
        "create table t (id int primary key, n int); "
        "create table p (id int primary key) partition by range (id); "
        "create table p1 partition of p for values from (0) to (10)");
    REQUIRE(pair.begin());
    pair.on_source("insert into t values (1, 1); insert into p values (1)");
    pair.source.cluster->set({{"synchronous_standby_names", "*"}});
    for (const char* change :
         {"insert into t values (2, 2)", "truncate t", "insert into t values (3, 3)", "truncate p1",
          "insert into p values (2)", "alter table t alter n set default 5",
          "update t set n = n + 1"}) {
      CAPTURE(change);
      auto commit = std::async(std::launch::async, [&] { pair.on_source(change); });
      const bool ended = commit.wait_for(30s) == std::future_status::ready;
      CHECK(ended);
      if (!ended) {
        pair.source.cluster->set({{"synchronous_standby_names", ""}});
        commit.get();
        break;
      }
    }
    pair.source.cluster->set({{"synchronous_standby_names", ""}});
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.t", "public.p"}) == "");
  }
}
