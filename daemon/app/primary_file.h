// primary.json beside the control socket: what GET /primary answers, for applications and path
// units. Replaced atomically, so a reader sees the old or the new content, never a part.
#pragma once

#include <optional>
#include <string>

namespace repld::app {

// Does nothing when the file has this content already, nor when it is not known: then what was
// written last holds, for nobody but this daemon moves a group. Throws Error(config) when it cannot
// write.
void write_primary_file(const std::string& control_socket, const std::optional<std::string>& json);

}  // namespace repld::app
