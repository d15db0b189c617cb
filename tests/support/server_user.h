// PostgreSQL and PgBouncer do not run as root: as root, they and what they own belong to user
// postgres; otherwise to us.
#pragma once

#include <string>
#include <vector>

namespace repld::testing {

std::vector<std::string> as_server_user(std::vector<std::string> argv);
// Runs it to the end as that user; throws with what it printed when it fails.
void must_run(const std::vector<std::string>& argv);

// A file that we wrote and that the server must own.
void hand_over(const std::string& path);
// Writes it and hands it over; only the owner may read it.
void write_server_file(const std::string& path, const std::string& text);

// Nobody listens there now, on 127.0.0.1.
int free_port();

}  // namespace repld::testing
