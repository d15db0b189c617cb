// Whether the names that a link takes on the source, of its slot and its publication, are free.
#pragma once

#include <vector>

#include "core/config.h"
#include "core/finding.h"
#include "pg/session.h"

namespace repld::doctor {

// `target` tells what is the link's own. What bears a name of ours and is somebody else's is an
// error: the set-up refuses it.
std::vector<Finding> check_names(const Config& config, pg::Session& source, pg::Session& target);

}  // namespace repld::doctor
