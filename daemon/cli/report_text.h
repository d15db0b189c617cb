// The preflight's report as text: by side, errors first, each with what mends it.
#pragma once

#include <string>

#include "core/finding.h"

namespace repld::cli {

std::string render_report(const Report& report, bool colour);

}  // namespace repld::cli
