// The preflight through a real pooler: it is named, whatever its mode and whatever it makes of what
// we ask for, the other side is examined all the same, and nothing waits for ever.
#include <doctest/doctest.h>

#include "doctor_runs.h"
#include "support/pgbouncer.h"

using namespace repld::testing;

namespace {

class Sides {
 public:
  Sides() : source(supabase_like()), target(timeweb_like(timeweb_variant())) {
    for (const Platform* platform : {&source, &target}) {
      Pair::run_sql(platform->dsn, "create table t (id int primary key)");
    }
  }

  Platform source;
  Platform target;
};

void check_named(const Daemon& daemon, const std::string& side) {
  const Preflight preflight(daemon);
  CHECK(preflight.outcome.exit_code == 1);
  const auto errors = preflight.errors();
  INFO(text_of(errors));
  REQUIRE(errors.size() == 1);
  CHECK(errors[0].check == "connect");
  CHECK(errors[0].side == side);
  bool named = false;
  bool other_examined = false;
  for (const auto& finding : preflight.report["findings"]) {
    const std::string action = finding["action"];
    named |= action.find("connection pooler") != std::string::npos &&
             action.find(side + ".dsn") != std::string::npos;
    other_examined |= finding["check"] == "version" && finding["side"] != side;
  }
  CHECK_MESSAGE(named, preflight.outcome.out);
  CHECK(other_examined);
}

}  // namespace

TEST_SUITE("doctor") {
  TEST_CASE("a pooler instead of a server is named, on either side, in either mode") {
    const Sides sides;
    const Daemon direct(sides.source.remote_dsn, sides.target.remote_dsn, "pair");
    CHECK(text_of(Preflight(direct).errors()) == "");
    for (const PoolMode mode : {PoolMode::session, PoolMode::transaction}) {
      for (const auto parameters :
           {StartupParameters::refused, StartupParameters::replication_refused,
            StartupParameters::ignored}) {
        const std::string tried = std::to_string(static_cast<int>(mode)) + " " +
                                  std::to_string(static_cast<int>(parameters));
        CAPTURE(tried);
        const PgBouncer before_source(sides.source, mode, parameters);
        check_named(Daemon(before_source.dsn(), sides.target.remote_dsn, "pair"), "source");
        const PgBouncer before_target(sides.target, mode, parameters);
        check_named(Daemon(sides.source.remote_dsn, before_target.dsn(), "pair"), "target");
      }
    }
  }
}
