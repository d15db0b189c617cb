// The configuration as plain values, with its defaults. app/config_file fills it from TOML;
// config/repld.example.toml documents every key.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace repld {

// One of the two databases, as the config names it. At most one password_* is set; with none,
// libpq looks at the DSN and .pgpass.
struct ServerConfig {
  std::string dsn;  // URI or key=value; never printed: it may carry a password
  std::string password_file;
  std::string password_credential;  // name below $CREDENTIALS_DIRECTORY
  std::string password_env;

  bool operator==(const ServerConfig&) const = default;
};

struct LinkConfig {
  std::string name = "repld";  // names slot, publication, progress row: [a-z0-9_]{1,40}
  int64_t confirm_margin_ms = 60'000;
  bool guard = true;
  bool create_publication = true;
  std::vector<std::string> publications;  // of others, used as they are; without create_publication

  bool operator==(const LinkConfig&) const = default;
};

struct TablesConfig {
  std::vector<std::string> include = {"public.*"};
  std::vector<std::string> exclude;

  bool operator==(const TablesConfig&) const = default;
};

enum class Side { source, target };
const char* to_string(Side side);

struct GroupConfig {
  std::string name;
  std::vector<std::string> tables;
  Side primary = Side::source;

  bool operator==(const GroupConfig&) const = default;
};

enum class OnNonempty { refuse, repair, truncate };
enum class OnNewColumn { pause, add };
enum class OnMissingPartition { create, pause };

struct CopyConfig {
  bool initial = true;
  int workers = 2;
  int64_t epoch_ms = 20'000;
  OnNonempty on_nonempty = OnNonempty::refuse;

  bool operator==(const CopyConfig&) const = default;
};

struct ApplyConfig {
  int64_t batch_rows = 20'000;
  int64_t memory_mb = 128;
  OnNewColumn on_new_column = OnNewColumn::pause;
  OnMissingPartition on_missing_partition = OnMissingPartition::create;

  bool operator==(const ApplyConfig&) const = default;
};

// Tables that are proven more or less often than the others.
struct VerifyScheduleConfig {
  std::vector<std::string> tables;  // patterns
  int64_t every_ms = 0;             // 0: only on demand
};

struct VerifyConfig {
  int64_t every_ms = 900'000;                  // 0: only on demand
  int64_t time_percent = 33;                   // for proofs that nobody asked for, at most
  int64_t snapshot_age_ms = 60'000;            // how long a snapshot is held, or for one table
  std::vector<VerifyScheduleConfig> schedule;  // the first that names a table counts
};

struct HttpConfig {
  std::string listen = "127.0.0.1:9847";  // host:port; port 0 takes a free one

  bool operator==(const HttpConfig&) const = default;
};

struct ControlConfig {
  std::string socket = "/run/repld/control.sock";

  bool operator==(const ControlConfig&) const = default;
};

struct CutoverConfig {
  int64_t max_freeze_ms = 2'500;
  std::vector<std::string> before_freeze;
  std::vector<std::string> after_flip;
  std::vector<std::string> after_rollback;
};

enum class LogFormat { automatic, text, json };

struct LogConfig {
  std::string level = "info";  // trace, debug, info, warn, error
  LogFormat format = LogFormat::automatic;
};

struct Config {
  ServerConfig source;
  ServerConfig target;
  LinkConfig link;
  TablesConfig tables;
  std::vector<GroupConfig> groups;
  CopyConfig copy;
  ApplyConfig apply;
  VerifyConfig verify;
  HttpConfig http;
  ControlConfig control;
  CutoverConfig cutover;
  LogConfig log;
};

// Takes over from `read` what a running daemon can change: all but how it connects, what the link
// is named and made of, where it listens and in which format it logs. Returns the sections that
// differ there, and need a restart.
std::vector<std::string> take_reloadable(const Config& read, Config& config);

// Whether a link goes another way with one than with the other, of what can be reloaded.
bool same_for_link(const Config& one, const Config& other);

// True when `name` ("schema.table") matches `pattern`, where * stands for any run of characters
// and ? for one.
bool matches_pattern(std::string_view pattern, std::string_view name);
bool matches_any_pattern(const std::vector<std::string>& patterns, std::string_view name);

// True when the table is included, not excluded, and in no group that already lives on the
// target. System schemas and repld's own never are.
bool replicates_table(const Config& config, std::string_view schema, std::string_view table);

// What becomes of the rows that target tables have before their first copy. Refused without a
// guard: rows of others may come in between at any time.
OnNonempty on_nonempty(const Config& config);

// Group a table belongs to: the first that names it, else "all".
std::string group_of(const Config& config, std::string_view schema, std::string_view table);

}  // namespace repld
