#include "support/daemon.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "support/eventually.h"
#include "support/scratch.h"

namespace repld::testing {

namespace {

// As a basic string of TOML.
std::string quoted(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      quoted += '\\';
    }
    quoted += c;
  }
  return quoted + "\"";
}

// What a sanitizer has to say of the daemon fails the case, whatever the case itself looks at: it
// may end before the daemon does, or not ask for an exit code.
void require_nothing_reported(const std::string& log) {
  const size_t report = log.find("Sanitizer");
  if (report != std::string::npos) {
    FAIL_CHECK(log.substr(log.rfind('\n', report) + 1));
  }
}

}  // namespace

Daemon::Daemon(const std::string& source_dsn, const std::string& target_dsn,
               const std::string& link, const std::string& extra, const std::string& link_extra) {
  directory_ = make_scratch_directory("repld-daemon");
  std::ofstream file(config_path());
  file << "[source]\ndsn = " << quoted(source_dsn) << "\n[target]\ndsn = " << quoted(target_dsn)
       << "\n[link]\nname = \"" << link << "\"\n"
       << link_extra << "\n[http]\nlisten = \"127.0.0.1:0\"\n[control]\nsocket = \"" << directory_
       << "/control.sock\"\n"
       << extra << "\n";
}

Daemon::~Daemon() {
  if (pid_ > 0) {
    kill9();
  }
  require_nothing_reported(log_text());
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

std::string Daemon::program(const std::string& name) {
  if (const char* given = std::getenv("REPLD_BIN_DIR")) {
    return std::string(given) + "/" + name;
  }
  return (std::filesystem::read_symlink("/proc/self/exe").parent_path() / name).string();
}

void Daemon::add_to(const std::string& section, const std::string& line) {
  std::string text = read_file(config_path());
  text.insert(text.find(section) + section.size(), line + "\n");
  std::ofstream(config_path(), std::ios::trunc) << text;
}

void Daemon::start(const std::string& failpoints) {
  std::vector<std::string> environment = environment_;
  if (!failpoints.empty()) {
    environment.push_back("REPLD_FAILPOINT=" + failpoints);
  }
  pid_ = testing::start({program("repld"), "--config", config_path()}, environment, log_path());
}

void Daemon::signal(int number) { ::kill(pid_, number); }

void Daemon::kill9() {
  ::kill(pid_, SIGKILL);
  wait_for_exit(pid_);
  pid_ = -1;
}

int Daemon::terminate() {
  ::kill(pid_, SIGTERM);
  return wait_for_death();
}

int Daemon::wait_for_death() {
  const int exit_code = wait_for_exit(pid_);
  pid_ = -1;
  return exit_code;
}

bool Daemon::running() const { return pid_ > 0 && is_running(pid_); }

Outcome Daemon::replctl(std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin(), {program("replctl"), "--config", config_path()});
  return run(arguments);
}

bool Daemon::wait_for(const std::string& goal, std::chrono::seconds timeout) const {
  return replctl({"status", "--wait-for", goal, "--timeout", std::to_string(timeout.count()) + "s"})
             .exit_code == 0;
}

std::string Daemon::status_json() const { return replctl({"--json", "status"}).out; }

bool Daemon::wait_for_state(const std::string& state, std::chrono::milliseconds timeout) const {
  return eventually(timeout, [&] {
    const auto status = nlohmann::json::parse(status_json(), nullptr, false);
    return status.is_object() && status["links"][0]["state"] == state;
  });
}

bool Daemon::wait_log(const std::string& text, std::chrono::milliseconds timeout) const {
  return eventually(timeout, [&] { return log_text().find(text) != std::string::npos; });
}

}  // namespace repld::testing
