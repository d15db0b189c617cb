// How far a sequence has come, and where the same sequence of the other side is to be set.
//
// Sequences are not in the stream. A side that takes over must hand out no value that the other has
// handed out, so its sequence is brought to where the other stands, or beyond. Never backwards:
// somebody may use it there already, and a gap does no harm. Where values come round again (CYCLE)
// there is no backwards: the last step of a move sets the other side as it stands.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace repld {

struct SequenceRule {
  int64_t increment = 1;
  int64_t minimum = 1;
  int64_t maximum = 1;
  bool cycles = false;

  bool operator==(const SequenceRule&) const = default;
};

// As a sequence stores it. Values that a session caches are below, or at, `last_value`.
struct SequencePlace {
  int64_t last_value = 1;
  bool is_called = false;  // false: `last_value` itself comes next

  bool operator==(const SequencePlace&) const = default;
};

// Why a sequence cannot go where the other stands; empty: it can.
std::string misfit(const SequenceRule& from, const SequencePlace& stands, const SequenceRule& to);

// Where to set a sequence that fits; nothing: it stands there, or beyond. `margin`: so many values
// are left out, as far as there are so many.
std::optional<SequencePlace> place_to_set(const SequenceRule& from, const SequencePlace& stands,
                                          const SequenceRule& to, const SequencePlace& is,
                                          int64_t margin);

}  // namespace repld
