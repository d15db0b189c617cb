// A real repld process with a configuration of its own, and replctl for it.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

#include "support/process.h"

namespace repld::testing {

class Daemon {
 public:
  // Writes the configuration, starts nothing. `extra`: more TOML, whole sections. `link_extra`:
  // lines for [link]. The programs are beside the test's own, or in $REPLD_BIN_DIR.
  Daemon(const std::string& source_dsn, const std::string& target_dsn, const std::string& link,
         const std::string& extra = "", const std::string& link_extra = "");
  ~Daemon();  // kills it; fails the case when a sanitizer reported something of it
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  // Before start(): another line of a side's section; NAME=value for the process.
  void add_to_source(const std::string& line) { add_to("[source]\n", line); }
  void add_to_target(const std::string& line) { add_to("[target]\n", line); }
  void add_environment(const std::string& entry) { environment_.push_back(entry); }

  // `failpoints`: value of REPLD_FAILPOINT.
  void start(const std::string& failpoints = "");
  void kill9();
  void signal(int number);
  int terminate();       // SIGTERM; exit code
  int wait_for_death();  // of itself, by a failpoint; exit code
  bool running() const;
  pid_t pid() const { return pid_; }

  Outcome replctl(std::vector<std::string> arguments) const;
  // replctl status --wait-for
  bool wait_for(const std::string& goal, std::chrono::seconds timeout) const;
  // Until the status shows the link in this state.
  bool wait_for_state(const std::string& state, std::chrono::milliseconds timeout) const;
  bool wait_log(const std::string& text, std::chrono::milliseconds timeout) const;

  // /api/v1/status as it is.
  std::string status_json() const;
  std::string log_text() const { return read_file(log_path()); }
  std::string config_path() const { return directory_ + "/repld.toml"; }
  const std::string& directory() const { return directory_; }
  // Where "repld" or "replctl" is.
  static std::string program(const std::string& name);

 private:
  void add_to(const std::string& section, const std::string& line);
  std::string log_path() const { return directory_ + "/log"; }

  std::string directory_;
  std::vector<std::string> environment_;
  pid_t pid_ = -1;
};

}  // namespace repld::testing
