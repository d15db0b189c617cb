#include "core/config.h"

#include <stdexcept>

#include "app/config_file.h"
#include "core/error.h"
#include "fuzz/targets.h"

namespace repld::fuzz {

namespace {

constexpr int64_t kYearMs = int64_t{365} * 24 * 3600 * 1000;

void require(bool condition, const char* what) {
  if (!condition) {
    throw std::logic_error(what);
  }
}

bool is_duration(int64_t milliseconds) { return milliseconds >= 0 && milliseconds <= kYearMs; }

// What the rest of the daemon takes for granted.
void check(const Config& config) {
  require(!config.source.dsn.empty() && !config.target.dsn.empty(), "a server has no dsn");
  require(!config.link.name.empty() && config.link.name.size() <= 40, "a link's name is too long");
  require(config.link.create_publication == config.link.publications.empty(),
          "publications of others are named without use, or used without a name");
  require(!config.tables.include.empty(), "no table is included");
  require(config.copy.workers >= 1 && config.copy.workers <= 64, "workers out of bounds");
  require(config.apply.memory_mb >= 16 && config.apply.memory_mb <= 1 << 20,
          "memory out of bounds");
  require(config.apply.batch_rows >= 1, "batch_rows out of bounds");
  require(config.http.listen.find(':') != std::string::npos, "listen has no port");
  require(!config.control.socket.empty() && config.control.socket.size() <= 100,
          "socket path out of bounds");
  require(is_duration(config.link.confirm_margin_ms) && is_duration(config.copy.epoch_ms) &&
              is_duration(config.verify.every_ms) && is_duration(config.cutover.max_freeze_ms),
          "a duration out of bounds");
  require(config.verify.time_percent >= 1 && config.verify.time_percent <= 100 &&
              is_duration(config.verify.snapshot_age_ms),
          "shares of a verification out of bounds");
  for (const VerifyScheduleConfig& schedule : config.verify.schedule) {
    require(!schedule.tables.empty() && is_duration(schedule.every_ms),
            "a schedule without tables or time");
  }
  for (const GroupConfig& group : config.groups) {
    require(!group.name.empty() && group.name != "all", "a group has no name of its own");
  }
  require(!replicates_table(config, "pg_catalog", "pg_class"), "a system table is replicated");
  if (replicates_table(config, "public", "clients")) {
    require(!group_of(config, "public", "clients").empty(), "a table is in no group");
  }
}

}  // namespace

bool run_config(std::string_view bytes) {
  try {
    check(app::parse_config(std::string(bytes), "fuzz.toml"));
    return true;
  } catch (const Error& error) {
    require(error.kind() == ErrorKind::config, "a text gave another error than config");
    require(std::string_view(error.what()).rfind("fuzz.toml:", 0) == 0, "an error names no file");
    return false;
  }
}

}  // namespace repld::fuzz
