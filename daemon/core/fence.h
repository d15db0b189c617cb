// The fence: a point at which a snapshot of the source and the state of the target are exactly the
// same set of transactions, told from the stream alone. Here the decision; link/fence drives it.
//
// S is the snapshot and L the source's insert position, read in one statement, S first. Applying
// has stopped at a commit edge before. From then on the stream's transactions are offered one by
// one, in commit order:
//   commit record below L, and S sees it     it belongs before the fence: applied
//   S does not see it                        after the fence: held back, with all behind it
//   commit record at or above L              after the fence, as all that follow: reached
//   below L and seen, behind one held back   what S sees is no prefix of the commit order: retake
//
// Why it is right. A transaction leaves the ProcArray only after its commit record is written, so
// what S sees has its commit record below L, and is offered before L is passed. Conversely the
// stream may show a commit before any snapshot does: the record is there, the backend waits for a
// standby or has not got so far. So:
//   - what S does not see is after the fence even when its commit record is below L;
//   - everything applied already must be seen by S, too (AppliedXids), else S is older than the
//     target and must be taken again;
//   - what an earlier session applied is not known by id. All of it has an id below one that was
//     assigned when this session began (the baseline): S must see all of those. The snapshot's own
//     xmax of that moment would not do: it follows the newest transaction that has ended, not the
//     newest that has begun.
// L is the insert position: below the write or flush position a commit that S sees may be missing.
//
// Interleavings, with C the commit record of T and V the moment from which snapshots see T:
//   C S L V   T is offered, not seen: held back. Its effects are in neither side
//   C V S L   T is offered, seen: applied
//   C, T applied, S L V      S does not see what was applied: retake
//   S C L V, S C V L         as the first: S does not see it
//   C1 C2 V2 S L V1          2 seen behind 1, which is not: retake, since applying 2 alone would
//                            be no prefix
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

#include "core/lsn.h"
#include "core/xid.h"

namespace repld {

// What this session has applied and no snapshot was seen to show yet. Bounded: beyond that, it
// asks for a snapshot that is past all it knew.
class AppliedXids {
 public:
  // `baseline`: an id that the source assigned after everything that earlier sessions applied had
  // committed.
  explicit AppliedXids(uint32_t baseline, size_t kept_max = size_t{1} << 20)
      : baseline_(baseline), kept_max_(kept_max) {}

  void add(uint32_t xid);
  // What a snapshot shows, every later one shows.
  void forget_seen(const SourceSnapshot& snapshot);
  // A transaction that may be applied and that the snapshot does not see; nothing: it sees all.
  std::optional<uint32_t> unseen(const SourceSnapshot& snapshot) const;

 private:
  uint32_t baseline_;
  const size_t kept_max_;
  std::deque<uint32_t> xids_;
};

class FenceDecision {
 public:
  FenceDecision(SourceSnapshot snapshot, Lsn insert_lsn);

  enum class Step { apply, hold_back, reached, retake };

  // The next transaction in commit order, each once. Nothing more after reached or retake.
  Step offer(uint32_t xid, Lsn commit_lsn);
  // Everything that committed below this position has been offered.
  Step pass(Lsn position) const;
  // The first that was held back.
  std::optional<uint32_t> held_back() const { return held_back_; }

 private:
  SourceSnapshot snapshot_;
  Lsn insert_lsn_;
  std::optional<uint32_t> held_back_;
};

}  // namespace repld
