// repld --config FILE [--check]: the daemon.
//
// Exit codes: 0 stopped as asked, 2 usage or configuration (do not restart), 1 anything else.
#include <CLI/CLI.hpp>
#include <iostream>

#include "app/config_file.h"
#include "app/daemon.h"
#include "base/failpoint.h"
#include "core/error.h"

namespace {

void print(const repld::Error& error) {
  std::cerr << "repld: " << error.what() << '\n';
  if (!error.detail().empty()) {
    std::cerr << "  DETAIL: " << error.detail() << '\n';
  }
  if (!error.hint().empty()) {
    std::cerr << "  HINT: " << error.hint() << '\n';
  }
}

int run(int argc, char** argv) {
  CLI::App options("Keeps a second PostgreSQL an exact copy of a first one.", "repld");
  std::string config_path;
  bool check = false;
  options.add_option("--config", config_path, "configuration file")->required();
  options.add_flag("--check", check, "only check the configuration");
  options.set_version_flag("--version", REPLD_VERSION);
  try {
    options.parse(argc, argv);
  } catch (const CLI::ParseError& failure) {
    return options.exit(failure) == 0 ? 0 : 2;
  }
  const repld::Config config = repld::app::load_config(config_path);
  if (check) {
    repld::app::check_servers(config);
    std::cout << "ok\n";
    return 0;
  }
  repld::arm_failpoints();
  return repld::app::run_daemon(config, config_path);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const repld::Error& error) {
    print(error);
    return repld::exit_code_of(error.kind());
  } catch (const std::exception& failure) {
    std::cerr << "repld: " << failure.what() << '\n';
    return 1;
  }
}
