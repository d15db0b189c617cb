#include "core/cutover_fsm.h"

#include <array>
#include <string>
#include <utility>

#include "core/error.h"

namespace repld {

namespace {

using State = CutoverState;

constexpr std::array<std::pair<JournalState, const char*>, 5> kJournalStates = {{
    {JournalState::absent, "absent"},
    {JournalState::begun, "begun"},
    {JournalState::committed, "committed"},
    {JournalState::done, "done"},
    {JournalState::withdrawn, "withdrawn"},
}};

[[noreturn]] void cannot_be(State state) {
  throw Error(ErrorKind::internal,
              fmt::format("a cutover that is {} cannot end like this", to_string(state)));
}

State after_success(State state) {
  switch (state) {
    case State::checking: return State::arming;
    case State::arming: return State::noting;
    case State::noting: return State::quieting;
    case State::quieting: return State::freezing;
    case State::freezing: return State::draining;
    case State::draining: return State::proving;
    case State::proving: return State::preparing;
    case State::preparing: return State::committing;
    case State::committing: return State::opening;
    case State::opening: return State::completing;
    case State::completing: return State::completed;
    case State::withdrawing: return State::withdrawn;
    default: cannot_be(state);
  }
}

State after_failure(State state) {
  switch (state) {
    case State::committing: return State::settling;
    case State::settling:
    case State::opening:
    case State::completing:
    case State::withdrawing: return state;
    case State::completed:
    case State::withdrawn: cannot_be(state);
    default: return State::withdrawing;
  }
}

}  // namespace

const char* to_string(CutoverState state) {
  switch (state) {
    case State::checking: return "checking";
    case State::arming: return "arming";
    case State::noting: return "noting";
    case State::quieting: return "quieting";
    case State::freezing: return "freezing";
    case State::draining: return "draining";
    case State::proving: return "proving";
    case State::preparing: return "preparing";
    case State::committing: return "committing";
    case State::settling: return "settling";
    case State::opening: return "opening";
    case State::completing: return "completing";
    case State::withdrawing: return "withdrawing";
    case State::completed: return "completed";
    case State::withdrawn: return "withdrawn";
  }
  return "";
}

CutoverState advance(CutoverState state, CutoverEvent event) {
  switch (event) {
    case CutoverEvent::done: return after_success(state);
    case CutoverEvent::failed: return after_failure(state);
    case CutoverEvent::found_committed:
    case CutoverEvent::found_uncommitted: break;
  }
  if (state != State::settling) {
    cannot_be(state);
  }
  return event == CutoverEvent::found_committed ? State::opening : State::withdrawing;
}

bool is_retried(CutoverState state) {
  return state == State::settling || state == State::opening || state == State::completing ||
         state == State::withdrawing;
}

bool is_over(CutoverState state) { return state == State::completed || state == State::withdrawn; }

const char* to_string(JournalState state) {
  for (const auto& [each, name] : kJournalStates) {
    if (each == state) {
      return name;
    }
  }
  return "";
}

JournalState parse_journal_state(std::string_view text) {
  for (const auto& [each, name] : kJournalStates) {
    if (text == name) {
      return each;
    }
  }
  throw Error(ErrorKind::protocol, "repld.cutover holds a state that is none")
      .detail("\"{}\"", text);
}

std::optional<CutoverState> resume_from(JournalState on_old, JournalState on_new) {
  const bool opened = on_new == JournalState::committed || on_new == JournalState::done;
  switch (on_old) {
    case JournalState::committed: return opened ? State::completing : State::opening;
    case JournalState::done:
      if (on_new == JournalState::done) {
        return std::nullopt;
      }
      return opened ? State::completing : State::opening;
    case JournalState::absent:
    case JournalState::begun:
    case JournalState::withdrawn: break;
  }
  if (opened) {
    throw Error(ErrorKind::refused, "the old primary does not know that it was closed")
        .detail("its journal says \"{}\", the new primary's \"{}\"", to_string(on_old),
                to_string(on_new))
        .hint(
            "It came back older than it was. Keep applications away from it, save what was written "
            "there since, and set the link up afresh.");
  }
  const bool over = on_old != JournalState::begun && on_new != JournalState::begun;
  return over ? std::nullopt : std::optional(State::withdrawing);
}

}  // namespace repld
