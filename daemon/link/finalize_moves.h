// What cutovers have left on both sides, when a link ends for good.
#pragma once

#include <stop_token>

#include "link/shared.h"
#include "pg/session.h"

namespace repld::link {

// Of the forward link, after the way back has gone: routes and journals on both sides, on the
// source also the guard of a group that was moved without a way back. `source`: null, it is gone.
// False when stopped before the end. Throws Error.
bool forget_moves(Shared& shared, pg::Session* source, pg::Session& target,
                  const std::stop_token& stop);

}  // namespace repld::link
