// What a cutover does next: the order of its steps, the one point of no return, and what is true
// after a crash between any two of them.
//
//   checking   arming   noting   quieting   freezing   draining   proving   preparing
//        any of them fails -> withdrawing -> withdrawn: both sides as they were
//   committing          COMMIT on the old primary. Refused or unanswered, it is not known whether
//                       it took place -> settling
//   settling            asks the journal of the old primary, after the session that might still
//                       commit has ended -> opening or withdrawing
//   opening             the new primary takes writes. What fails is tried until it succeeds
//   completing -> completed
//
// Why never both sides can be written: the old one is closed by the transaction that commits in
// `committing`, and the new one is opened by a transaction that commits only in `opening`, which is
// reached only from a COMMIT that was seen to have taken place. Why no write is lost: from
// `freezing` on nobody but us writes to the group, in one transaction that ends with that COMMIT,
// and draining lies in between. Until then whatever ends that transaction ends the freeze.
//
// Pure. The journal (repld.cutover, on both sides) says where a new process goes on.
#pragma once

#include <optional>
#include <string_view>

namespace repld {

enum class CutoverState {
  checking,    // is there anything that speaks against it
  arming,      // the link back, so that it has all that is written after
  noting,      // the journal, on both sides
  quieting,    // no vacuum, no DDL: stalls nobody
  freezing,    // writers wait from here on
  draining,    // what they wrote arrives on the new primary
  proving,     // both sides are equal
  preparing,   // all that opens the new primary, uncommitted
  committing,  // the old primary is closed
  settling,
  opening,     // the new primary is open
  completing,  // what may take its time: links, foreign keys
  withdrawing,
  completed,
  withdrawn,
};
const char* to_string(CutoverState state);

enum class CutoverEvent {
  done,
  failed,           // it was refused, ran out of time, or its answer was lost
  found_committed,  // of settling: the journal
  found_uncommitted,
};

// Total. Throws Error(internal) for an event that cannot be.
CutoverState advance(CutoverState state, CutoverEvent event);

// Whether its failure is answered by trying it again, however long it takes.
bool is_retried(CutoverState state);
bool is_over(CutoverState state);

// The journal's state of a cutover on one side.
enum class JournalState { absent, begun, committed, done, withdrawn };
const char* to_string(JournalState state);
JournalState parse_journal_state(std::string_view text);  // throws Error(protocol)

// Where a process goes on that finds a cutover in the journals, the old primary's read after
// whoever might still have committed there has ended. Nothing: it is over on both sides.
//
// The new primary open and the old one not closed cannot be, but by an old primary that came back
// older than it was. Throws Error(refused) then: it was open for a while, and what was written
// there must not be lost without anybody having looked.
std::optional<CutoverState> resume_from(JournalState on_old, JournalState on_new);

}  // namespace repld
