// What a round of comparisons came to, as JSON for the operator who asked.
#pragma once

#include <string>

#include "verify/verifier.h"

namespace repld::verify {

// {"equal":..,"tables":[{"table":"public.t","rows":5,"missing":0,"extra":0,"different":0,..}],..}.
// After a repair also {"repaired":[{"table":"public.t","removed":1,"written":1}]}.
// `keys`: with those of the rows that differ, which are values of rows.
std::string report_json(const ProofReport& report, bool keys);

}  // namespace repld::verify
