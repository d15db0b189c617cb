#include "core/sequence.h"

namespace repld {

namespace {

// Holds what comes after the last value of all.
__extension__ using Wide = __int128;

Wide next_of(const SequenceRule& rule, const SequencePlace& place) {
  return place.is_called ? static_cast<Wide>(place.last_value) + rule.increment : place.last_value;
}

bool within(const SequenceRule& rule, Wide value) {
  return value >= rule.minimum && value <= rule.maximum;
}

}  // namespace

std::string misfit(const SequenceRule& from, const SequencePlace& stands, const SequenceRule& to) {
  if ((from.increment > 0) != (to.increment > 0)) {
    return "one counts up and the other down";
  }
  if (!within(to, stands.last_value)) {
    return "its bounds do not take the value";
  }
  return "";
}

std::optional<SequencePlace> place_to_set(const SequenceRule& from, const SequencePlace& stands,
                                          const SequenceRule& to, const SequencePlace& is,
                                          int64_t margin) {
  if (from.cycles) {
    return stands == is ? std::nullopt : std::optional(stands);
  }
  SequencePlace wanted = stands;
  const Wide beyond = next_of(from, stands) + static_cast<Wide>(margin) * from.increment;
  if (margin > 0 && within(from, beyond) && within(to, beyond)) {
    wanted = {static_cast<int64_t>(beyond), false};
  }
  // Both as the sequence that is set goes on.
  const Wide next = next_of(to, is);
  const Wide wanted_next = next_of(to, wanted);
  const bool ahead = to.increment > 0 ? next >= wanted_next : next <= wanted_next;
  return ahead ? std::nullopt : std::optional(wanted);
}

}  // namespace repld
