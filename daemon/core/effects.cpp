#include "core/effects.h"

#include <fmt/format.h>

namespace repld {

std::string effect_of_unforced_policies(const std::string& owner) {
  return fmt::format(
      "The table's policies no longer hold for its owner {} and members of it: an application that "
      "logs in as one sees and writes all rows. {}",
      owner, kLocksForMoment);
}

}  // namespace repld
