#include "core/cutover_fsm.h"

#include <doctest/doctest.h>

#include <vector>

#include "core/error.h"

using namespace repld;
using State = CutoverState;
using Event = CutoverEvent;
using Journal = JournalState;

namespace {

const std::vector<State> kBeforeCommit = {State::checking, State::arming,   State::noting,
                                          State::quieting, State::freezing, State::draining,
                                          State::proving,  State::preparing};

}  // namespace

TEST_CASE("a cutover in which all goes well takes each step once") {
  std::vector<State> seen;
  for (State state = State::checking; state != State::completed;
       state = advance(state, Event::done)) {
    seen.push_back(state);
    REQUIRE(seen.size() < 20);
  }
  std::vector<State> expected = kBeforeCommit;
  expected.insert(expected.end(), {State::committing, State::opening, State::completing});
  CHECK(seen == expected);
}

TEST_CASE("before the COMMIT any failure withdraws it") {
  for (const State state : kBeforeCommit) {
    CAPTURE(to_string(state));
    CHECK(advance(state, Event::failed) == State::withdrawing);
    CHECK_FALSE(is_retried(state));
  }
  CHECK(advance(State::withdrawing, Event::done) == State::withdrawn);
}

TEST_CASE("a COMMIT without an answer is settled by the journal, however long it takes") {
  CHECK(advance(State::committing, Event::failed) == State::settling);
  CHECK(advance(State::settling, Event::failed) == State::settling);
  CHECK(advance(State::settling, Event::found_committed) == State::opening);
  CHECK(advance(State::settling, Event::found_uncommitted) == State::withdrawing);
  CHECK(is_retried(State::settling));
}

TEST_CASE("after the COMMIT it only goes forward") {
  for (const State state : {State::opening, State::completing}) {
    CHECK(advance(state, Event::failed) == state);
    CHECK(is_retried(state));
  }
}

TEST_CASE("what cannot happen in a state is an error") {
  for (const State state : kBeforeCommit) {
    CHECK_THROWS_AS(advance(state, Event::found_committed), Error);
    CHECK_THROWS_AS(advance(state, Event::found_uncommitted), Error);
  }
  for (const State state : {State::completed, State::withdrawn}) {
    CHECK_THROWS_AS(advance(state, Event::done), Error);
    CHECK_THROWS_AS(advance(state, Event::failed), Error);
    CHECK(is_over(state));
  }
  CHECK_THROWS_AS(advance(State::settling, Event::done), Error);
}

TEST_CASE("after a crash the journals say where to go on") {
  struct Row {
    Journal on_old;
    Journal on_new;
    std::optional<State> expected;
  };
  const Row rows[] = {
      {Journal::absent, Journal::absent, std::nullopt},
      {Journal::begun, Journal::absent, State::withdrawing},
      {Journal::absent, Journal::begun, State::withdrawing},
      {Journal::begun, Journal::begun, State::withdrawing},
      {Journal::withdrawn, Journal::begun, State::withdrawing},
      {Journal::begun, Journal::withdrawn, State::withdrawing},
      {Journal::withdrawn, Journal::withdrawn, std::nullopt},
      {Journal::committed, Journal::begun, State::opening},
      {Journal::committed, Journal::withdrawn, State::opening},
      {Journal::committed, Journal::absent, State::opening},
      {Journal::committed, Journal::committed, State::completing},
      {Journal::committed, Journal::done, State::completing},
      {Journal::done, Journal::committed, State::completing},
      {Journal::done, Journal::begun, State::opening},
      {Journal::done, Journal::done, std::nullopt},
  };
  for (const Row& row : rows) {
    CAPTURE(to_string(row.on_old));
    CAPTURE(to_string(row.on_new));
    CHECK(resume_from(row.on_old, row.on_new) == row.expected);
  }
  for (const Journal on_old : {Journal::absent, Journal::begun, Journal::withdrawn}) {
    CHECK_THROWS_AS(resume_from(on_old, Journal::committed), Error);
    CHECK_THROWS_AS(resume_from(on_old, Journal::done), Error);
  }
}

TEST_CASE("the journal's states are read as they are written") {
  for (const Journal state :
       {Journal::absent, Journal::begun, Journal::committed, Journal::done, Journal::withdrawn}) {
    CHECK(parse_journal_state(to_string(state)) == state);
  }
  CHECK_THROWS_AS(parse_journal_state("commited"), Error);
}
