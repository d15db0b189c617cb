// Definitions reduced to what they mean, so that two servers' words for one thing are equal.
//
// A definition that is printed, run elsewhere and printed again is not always the same text: the
// server folds casts of constants ("(ARRAY['a'::varchar])::text[]" comes back with the cast
// inside) and sets brackets around them. Casts, and brackets around a single operand, are therefore
// left out before comparing.
#pragma once

#include <string>
#include <string_view>

#include "core/schema.h"

namespace repld::schema {

std::string essence_of(std::string_view expression);
std::string essence_of(const Constraint& constraint);  // without its name and state
std::string essence_of(const Index& index);            // without its name

}  // namespace repld::schema
