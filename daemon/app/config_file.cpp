#include "app/config_file.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

#include "app/toml_reader.h"

namespace repld::app {

namespace {

constexpr int64_t kMemoryMbMin = 16;
constexpr int64_t kMemoryMbMax = 1 << 20;
constexpr size_t kNameBytesMax = 63;  // of PostgreSQL's identifiers

// One pass over the file: its sections as readers.
class Sections {
 public:
  Sections(const toml::table& root, std::string path) : root_(root), path_(std::move(path)) {}

  TomlReader section(const std::string& name) {
    known_.push_back(name);
    const toml::node* node = root_.get(name);
    if (node != nullptr && !node->is_table()) {
      throw Error(ErrorKind::config, fmt::format("{}: \"{}\" must be a section",
                                                 place_of(node->source(), path_), name))
          .hint("Write [{}] on a line of its own.", name);
    }
    return {node == nullptr ? nullptr : node->as_table(), name, path_};
  }

  std::vector<TomlReader> list(const std::string& name) {
    known_.push_back(name);
    return TomlReader(&root_, "", path_).list(name);
  }

  void finish() const {
    for (const auto& [key, node] : root_) {
      if (std::find(known_.begin(), known_.end(), std::string(key.str())) == known_.end()) {
        throw Error(ErrorKind::config, fmt::format("{}: unknown section \"{}\"",
                                                   place_of(key.source(), path_), key.str()))
            .hint("Known are: {}.", fmt::join(known_, ", "));
      }
    }
  }

 private:
  const toml::table& root_;
  const std::string path_;
  std::vector<std::string> known_;
};

void read_server(TomlReader reader, ServerConfig& server) {
  reader.get("dsn", server.dsn);
  reader.get("password_file", server.password_file);
  reader.get("password_credential", server.password_credential);
  reader.get("password_env", server.password_env);
  reader.finish();
  if (server.dsn.empty()) {
    throw reader.error_at("dsn", "is required")
        .hint("Write key=value pairs or a postgresql:// URI.");
  }
  const int given = !server.password_file.empty() + !server.password_credential.empty() +
                    !server.password_env.empty();
  if (given > 1) {
    throw reader.error_at("dsn", "has several passwords")
        .hint("Give one of password_file, password_credential and password_env.");
  }
}

void read_link(TomlReader reader, LinkConfig& link) {
  reader.get("name", link.name);
  reader.get_duration_ms("confirm_margin", link.confirm_margin_ms);
  reader.get("guard", link.guard);
  reader.get("create_publication", link.create_publication);
  reader.get("publications", link.publications);
  reader.finish();
  const bool plain =
      link.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string::npos;
  if (link.name.empty() || link.name.size() > 40 || !plain) {
    throw reader.error_at("name", "must be 1 to 40 of a-z, 0-9 and _")
        .hint("It becomes part of a replication slot's name.");
  }
  if (link.create_publication && !link.publications.empty()) {
    throw reader.error_at("publications", "needs create_publication = false");
  }
  if (!link.create_publication && link.publications.empty()) {
    throw reader.error_at("create_publication", "false needs publications to use")
        .hint("Name them in link.publications; or leave it out, then repld makes its own.");
  }
  for (const std::string& name : link.publications) {
    if (name.empty() || name.size() > kNameBytesMax) {
      throw reader.error_at("publications", "must be names of 1 to 63 bytes");
    }
  }
}

void read_tables(TomlReader reader, TablesConfig& tables) {
  reader.get("include", tables.include);
  reader.get("exclude", tables.exclude);
  reader.finish();
  if (tables.include.empty()) {
    throw reader.error_at("include", "must name at least one table");
  }
}

void read_groups(std::vector<TomlReader> readers, std::vector<GroupConfig>& groups) {
  std::set<std::string> names = {"all"};
  std::set<std::string> tables;
  for (TomlReader& reader : readers) {
    GroupConfig group;
    reader.get("name", group.name);
    reader.get("tables", group.tables);
    if (const auto side = reader.get_choice("primary", {"source", "target"})) {
      group.primary = *side == 0 ? Side::source : Side::target;
    }
    reader.finish();
    if (group.name.empty() || !names.insert(group.name).second) {
      throw reader.error_at("name", group.name.empty() ? "is required" : "is used twice");
    }
    for (const std::string& table : group.tables) {
      if (!tables.insert(table).second) {
        throw reader.error_at("tables", fmt::format("\"{}\" is in two groups", table));
      }
    }
    groups.push_back(std::move(group));
  }
}

void read_copy(TomlReader reader, CopyConfig& copy) {
  int64_t workers = copy.workers;
  reader.get("initial", copy.initial);
  reader.get_integer("workers", workers, 1, 64);
  reader.get_duration_ms("epoch", copy.epoch_ms);
  if (const auto choice = reader.get_choice("on_nonempty", {"refuse", "repair", "truncate"})) {
    copy.on_nonempty = static_cast<OnNonempty>(*choice);
  }
  reader.finish();
  copy.workers = static_cast<int>(workers);
}

void read_apply(TomlReader reader, ApplyConfig& apply) {
  reader.get_integer("batch_rows", apply.batch_rows, 1, 10'000'000);
  reader.get_integer("memory_mb", apply.memory_mb, kMemoryMbMin, kMemoryMbMax);
  if (const auto choice = reader.get_choice("on_new_column", {"pause", "add"})) {
    apply.on_new_column = static_cast<OnNewColumn>(*choice);
  }
  if (const auto choice = reader.get_choice("on_missing_partition", {"create", "pause"})) {
    apply.on_missing_partition = static_cast<OnMissingPartition>(*choice);
  }
  reader.finish();
}

bool is_host_and_port(const std::string& listen) {
  const size_t colon = listen.rfind(':');
  if (colon == std::string::npos || colon == 0) {
    return false;
  }
  const std::string port = listen.substr(colon + 1);
  return !port.empty() && port.size() <= 5 &&
         port.find_first_not_of("0123456789") == std::string::npos && std::stoi(port) <= 65535;
}

void read_surfaces(Sections& sections, Config& config) {
  TomlReader http = sections.section("http");
  http.get("listen", config.http.listen);
  http.finish();
  if (!is_host_and_port(config.http.listen)) {
    throw http.error_at("listen", "must be host:port").hint("For example 127.0.0.1:9847.");
  }
  TomlReader control = sections.section("control");
  control.get("socket", config.control.socket);
  control.finish();
  if (config.control.socket.empty() || config.control.socket.size() > 100) {
    throw control.error_at("socket", "must be a path of 1 to 100 bytes");
  }
  TomlReader log = sections.section("log");
  const std::vector<std::string> levels = {"trace", "debug", "info", "warn", "error"};
  if (const auto level = log.get_choice("level", levels)) {
    config.log.level = levels[*level];
  }
  if (const auto format = log.get_choice("format", {"auto", "text", "json"})) {
    config.log.format = static_cast<LogFormat>(*format);
  }
  log.finish();
}

void read_verify(TomlReader reader, VerifyConfig& verify) {
  reader.get_duration_ms("every", verify.every_ms);
  reader.get_integer("time_percent", verify.time_percent, 1, 100);
  reader.get_duration_ms("snapshot_age", verify.snapshot_age_ms);
  for (TomlReader& entry : reader.list("schedule")) {
    VerifyScheduleConfig schedule;
    schedule.every_ms = verify.every_ms;
    entry.get("tables", schedule.tables);
    entry.get_duration_ms("every", schedule.every_ms);
    entry.finish();
    if (schedule.tables.empty()) {
      throw entry.error_at("tables", "must name at least one table");
    }
    verify.schedule.push_back(std::move(schedule));
  }
  reader.finish();
}

void read_later_parts(Sections& sections, Config& config) {
  TomlReader cutover = sections.section("cutover");
  cutover.get_duration_ms("max_freeze", config.cutover.max_freeze_ms);
  cutover.get("before_freeze", config.cutover.before_freeze);
  cutover.get("after_flip", config.cutover.after_flip);
  cutover.get("after_rollback", config.cutover.after_rollback);
  cutover.finish();
}

// Nothing when it cannot be read, which includes a directory: that opens, but does not read.
std::optional<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text;
  char block[4096];
  while (file.read(block, sizeof(block)) || file.gcount() > 0) {
    text.append(block, static_cast<size_t>(file.gcount()));
  }
  return file.eof() ? std::optional(std::move(text)) : std::nullopt;
}

toml::table parse(const std::string& text, const std::string& path) {
  try {
    return toml::parse(text, path);
  } catch (const toml::parse_error& failure) {
    // toml++ quotes the offending text, which may be a password: only the place is repeated.
    throw Error(ErrorKind::config,
                fmt::format("{}: is no valid TOML here", place_of(failure.source(), path)));
  }
}

std::string read_secret(const std::string& path, const std::string& key) {
  std::optional<std::string> secret = read_file(path);
  if (!secret) {
    throw Error(ErrorKind::config, fmt::format("{}: \"{}\" cannot be read", key, path))
        .hint("It must exist and be readable by the daemon's user.");
  }
  while (!secret->empty() && (secret->back() == '\n' || secret->back() == '\r')) {
    secret->pop_back();
  }
  if (secret->empty()) {
    throw Error(ErrorKind::config, fmt::format("{}: \"{}\" is empty", key, path));
  }
  return *std::move(secret);
}

}  // namespace

Config load_config(const std::string& path) {
  const std::optional<std::string> text = read_file(path);
  if (!text) {
    throw Error(ErrorKind::config, fmt::format("{}: cannot be read", path));
  }
  return parse_config(*text, path);
}

Config parse_config(const std::string& text, const std::string& path) {
  const toml::table root = parse(text, path);
  Sections sections(root, path);
  Config config;
  read_server(sections.section("source"), config.source);
  read_server(sections.section("target"), config.target);
  read_link(sections.section("link"), config.link);
  read_tables(sections.section("tables"), config.tables);
  read_groups(sections.list("groups"), config.groups);
  read_copy(sections.section("copy"), config.copy);
  read_apply(sections.section("apply"), config.apply);
  read_verify(sections.section("verify"), config.verify);
  read_surfaces(sections, config);
  read_later_parts(sections, config);
  sections.finish();
  return config;
}

std::optional<std::string> resolve_password(const ServerConfig& server, Side side) {
  const std::string section = to_string(side);
  if (!server.password_file.empty()) {
    return read_secret(server.password_file, section + ".password_file");
  }
  if (!server.password_credential.empty()) {
    const char* directory = std::getenv("CREDENTIALS_DIRECTORY");
    if (directory == nullptr) {
      throw Error(ErrorKind::config,
                  section + ".password_credential: systemd passed no credentials")
          .hint("Add LoadCredential={}:/path/to/file to the unit.", server.password_credential);
    }
    return read_secret(std::string(directory) + "/" + server.password_credential,
                       section + ".password_credential");
  }
  if (!server.password_env.empty()) {
    const char* value = std::getenv(server.password_env.c_str());
    if (value == nullptr) {
      throw Error(ErrorKind::config,
                  fmt::format("{}.password_env: {} is not set", section, server.password_env));
    }
    return std::string(value);
  }
  return std::nullopt;
}

void warn_of_exposed_passwords(const Config& config) {
  namespace fs = std::filesystem;
  for (const auto& [server, side] :
       {std::pair(&config.source, Side::source), std::pair(&config.target, Side::target)}) {
    std::error_code unreadable;
    const fs::perms mode = fs::status(server->password_file, unreadable).permissions();
    if (mode != fs::perms::unknown && (mode & fs::perms::others_read) != fs::perms::none) {
      spdlog::warn("{}.password_file is readable by everyone: chmod o-rwx {}", to_string(side),
                   server->password_file);
    }
  }
}

}  // namespace repld::app
