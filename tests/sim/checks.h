// What must hold whenever the target has committed, and what drift may still stand then.
#pragma once

#include <stdexcept>

#include "sim/fake_source.h"
#include "sim/fake_target.h"

namespace repld::sim {

// A broken promise: what the simulation is looking for.
class Broken : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The target is the prefix of the source that its progress row names, but for rows that drifted and
// were not touched since. Settles the drift records that were mended, and checks that the mending
// statements found as many. Throws Broken.
void check_commit(const FakeSource& source, TargetCommit& commit);

// Whether the transaction after this position may be refused: it touches a row that drifted, or
// brings a value that is not allowed.
bool may_be_refused(const FakeSource& source, const TargetState& state);

// Puts a row out of step with the source, and names it; nothing when there is no row that fits.
std::string inject_drift(const FakeSource& source, DriftKind kind, Random& random,
                         TargetState& state);
// At a fence: rows that are queued become what they are on the source where the target stands.
// Returns their values, which an operator has allowed by then: a row is refused here too.
std::vector<std::string> refetch(const FakeSource& source, TargetState& state);
// What an operator does after a refusal.
void repair_drift(const FakeSource& source, TargetState& state);

}  // namespace repld::sim
