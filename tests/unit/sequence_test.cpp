#include "core/sequence.h"

#include <doctest/doctest.h>

#include <limits>

namespace repld {

namespace {

constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
constexpr int64_t kMin = std::numeric_limits<int64_t>::min();

std::string shown(const std::optional<SequencePlace>& place) {
  return place ? std::to_string(place->last_value) + (place->is_called ? " called" : "") : "left";
}

}  // namespace

TEST_SUITE("sequence") {
  TEST_CASE("a sequence is brought to where the other stands, never backwards") {
    struct Row {
      const char* name;
      SequenceRule rule;
      SequencePlace stands;
      SequencePlace is;
      int64_t margin;
      const char* expected;
    };
    const SequenceRule up{1, 1, kMax, false};
    const SequenceRule tens{10, 1, 1000, false};
    const SequenceRule down{-1, kMin, -1, false};
    const SequenceRule round{1, 1, 5, true};
    const Row rows[] = {
        {"neither was used", up, {1, false}, {1, false}, 0, "left"},
        {"behind", up, {70, true}, {1, false}, 0, "70 called"},
        {"set without being called", up, {70, false}, {9, true}, 0, "70"},
        {"the same value comes next", up, {70, false}, {69, true}, 0, "left"},
        {"equal", up, {70, true}, {70, true}, 0, "left"},
        {"ahead", up, {70, true}, {90, true}, 0, "left"},
        {"with a margin", up, {70, true}, {70, true}, 100, "171"},
        {"ahead within the margin", up, {70, true}, {90, true}, 100, "171"},
        {"ahead of the margin", up, {70, true}, {900, true}, 100, "left"},
        {"a margin in steps", tens, {70, true}, {1, false}, 3, "110"},
        {"less is left than the margin", tens, {981, true}, {1, false}, 3, "981 called"},
        {"used up", {1, 1, 9, false}, {9, true}, {9, false}, 100, "9 called"},
        {"used up at the last value there is",
         up,
         {kMax, true},
         {kMax, false},
         100,
         "9223372036854775807 called"},
        {"downwards", down, {-70, true}, {-9, true}, 0, "-70 called"},
        {"downwards, ahead", down, {-70, true}, {-90, true}, 0, "left"},
        {"downwards with a margin", down, {-70, true}, {-70, true}, 100, "-171"},
        {"downwards, used up", down, {kMin, true}, {-9, true}, 100, "-9223372036854775808 called"},
        {"came round", round, {2, true}, {5, true}, 100, "2 called"},
        {"coming round, equal", round, {2, true}, {2, true}, 100, "left"},
    };
    for (const Row& row : rows) {
      CAPTURE(row.name);
      REQUIRE(misfit(row.rule, row.stands, row.rule).empty());
      CHECK(shown(place_to_set(row.rule, row.stands, row.rule, row.is, row.margin)) ==
            row.expected);
    }
  }

  TEST_CASE("where the steps differ, the one that is set goes on with its own") {
    const SequenceRule ones{1, 1, kMax, false};
    const SequenceRule tens{10, 1, kMax, false};
    CHECK(shown(place_to_set(ones, {70, true}, tens, {61, true}, 0)) == "70 called");
    CHECK(shown(place_to_set(ones, {70, true}, tens, {70, true}, 0)) == "left");
  }

  TEST_CASE("a sequence of another direction or other bounds is left alone, with the reason") {
    const SequenceRule up{1, 1, kMax, false};
    CHECK(misfit(up, {70, true}, {-1, kMin, -1, false}) == "one counts up and the other down");
    CHECK(misfit(up, {40'000, true}, {1, 1, 32'767, false}) == "its bounds do not take the value");
    CHECK(misfit(up, {70, true}, {5, 1, 32'767, false}).empty());
  }

  TEST_CASE("a margin that only the other side's bounds take is left out") {
    const SequenceRule wide{1, 1, kMax, false};
    const SequenceRule narrow{1, 1, 100, false};
    CHECK(shown(place_to_set(wide, {70, true}, narrow, {1, false}, 1000)) == "70 called");
  }
}

}  // namespace repld
