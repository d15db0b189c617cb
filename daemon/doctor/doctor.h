// The preflight: asks both servers what could go wrong, before anything is begun.
//
// Changes nothing: the temporary slot that it tries is gone with its connection. A side that
// cannot be reached is a finding; the other side is examined all the same.
#pragma once

#include "core/config.h"
#include "core/finding.h"
#include "pg/server.h"

namespace repld::doctor {

// Throws Error(config) when a DSN cannot be parsed.
Report examine(const Config& config, const pg::Server& source, const pg::Server& target);

}  // namespace repld::doctor
