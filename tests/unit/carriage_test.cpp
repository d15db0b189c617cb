#include "link/carriage.h"

#include <doctest/doctest.h>

namespace repld::link {

namespace {

const TableName kMoving{"public", "m"};
const TableName kStaying{"public", "t"};

Config grouped() {
  Config config;
  config.groups = {{"moving", {"public.m"}, Side::source}};
  return config;
}

Routes route(Side primary, int64_t generation) { return {{"moving", {primary, generation}}}; }

Carriage of(const std::string& link, const Routes& source, const Routes& target,
            const std::map<std::string, Flip>& flips = {}) {
  return {link, grouped(), source, target, flips};
}

}  // namespace

TEST_SUITE("carriage") {
  TEST_CASE("without routes the forward link carries all, the way back nothing") {
    const Carriage forward = of("app", {}, {});
    CHECK(forward.untouched());
    CHECK(forward.carries(kMoving));
    CHECK(forward.carries(kStaying, Lsn{1}));
    const Carriage back = of("app-back", {}, {});
    CHECK_FALSE(back.untouched());
    CHECK_FALSE(back.carries(kMoving));
    CHECK_FALSE(back.carries(kStaying, Lsn{1}));
  }

  TEST_CASE("a group is carried only while both databases say so") {
    struct Row {
      const char* name;
      Routes source;  // of the configuration
      Routes target;
      bool forward;
      bool back;
    };
    const Row rows[] = {
        {"noted", route(Side::source, 0), route(Side::source, 0), true, false},
        {"closed on the source", route(Side::target, 1), route(Side::source, 0), false, false},
        {"opened on the target", route(Side::target, 1), route(Side::target, 1), false, true},
        {"closed on the target", route(Side::target, 1), route(Side::source, 2), false, false},
        {"opened on the source", route(Side::source, 2), route(Side::source, 2), true, false},
    };
    for (const Row& row : rows) {
      CAPTURE(row.name);
      CHECK(of("app", row.source, row.target).carries(kMoving) == row.forward);
      CHECK(of("app-back", row.target, row.source).carries(kMoving) == row.back);
      CHECK(of("app", row.source, row.target).carries(kStaying));
      CHECK_FALSE(of("app-back", row.target, row.source).carries(kStaying));
    }
  }

  TEST_CASE("the link that a group comes to applies what follows the place of the newest move") {
    const Routes moved = route(Side::target, 3);
    const Lsn place{100};
    CHECK_FALSE(of("app-back", moved, moved).carries(kMoving, Lsn{200}));
    CHECK_FALSE(of("app-back", moved, moved, {{"moving", {2, place}}}).carries(kMoving, Lsn{200}));
    const Carriage met = of("app-back", moved, moved, {{"moving", {3, place}}});
    CHECK_FALSE(met.carries(kMoving, Lsn{99}));
    CHECK_FALSE(met.carries(kMoving, place));
    CHECK(met.carries(kMoving, Lsn{101}));
    CHECK(met.has_met({"app", 3, "moving"}));
    CHECK_FALSE(met.has_met({"app", 4, "moving"}));
    CHECK_FALSE(met.has_met({"app", 1, "all"}));
  }

  TEST_CASE("the link that a group leaves applies what comes before the place, also once more") {
    const Routes moved = route(Side::target, 1);
    const Routes staying = route(Side::source, 0);
    const Lsn place{100};
    for (const Routes& target : {moved, staying}) {
      CHECK(of("app", moved, target).carries(kMoving, Lsn{50}));
      const Carriage met = of("app", moved, target, {{"moving", {1, place}}});
      CHECK(met.carries(kMoving, Lsn{99}));
      CHECK_FALSE(met.carries(kMoving, Lsn{101}));
      CHECK(met.carries(kStaying, Lsn{101}));
    }
  }

  TEST_CASE("a group that never moved counts from the beginning") {
    const Routes noted = route(Side::source, 0);
    CHECK(of("app", noted, noted).carries(kMoving, Lsn{1}));
    CHECK_FALSE(of("app-back", noted, noted).carries(kMoving, Lsn{1}));
  }
}

}  // namespace repld::link
