#include "core/proof.h"

namespace repld {

const char* to_string(RowDifference difference) {
  switch (difference) {
    case RowDifference::missing: return "missing";
    case RowDifference::extra: return "extra";
    case RowDifference::different: return "different";
  }
  return "";
}

}  // namespace repld
