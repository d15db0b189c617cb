#include "core/table.h"

namespace repld {

const TargetColumn* TargetTable::find_column(const std::string& column) const {
  for (const TargetColumn& candidate : columns) {
    if (candidate.name == column) {
      return &candidate;
    }
  }
  return nullptr;
}

}  // namespace repld
