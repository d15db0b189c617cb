// Proofs and repairs of all tables, whichever direction carries them.
#pragma once

#include <string>
#include <vector>

#include "app/one_way.h"

namespace repld::app {

// As Verifier::ask(), of both directions where either has tables.
void ask_both(OneWay& forward, OneWay& back, verify::Task task,
              const std::vector<std::string>& tables, const verify::Verifier::Reply& reply);

}  // namespace repld::app
