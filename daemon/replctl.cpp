// replctl: the operator's hand on a running repld. `replctl --help` lists its verbs.
#include <iostream>

#include "app/config_file.h"
#include "app/daemon.h"
#include "app/hook.h"
#include "cli/program.h"
#include "doctor/doctor.h"

namespace {

repld::Report examine(const repld::Config& config) {
  using repld::Side;
  using repld::app::resolve_password;
  return repld::doctor::examine(
      config, {Side::source, config.source.dsn, resolve_password(config.source, Side::source)},
      {Side::target, config.target.dsn, resolve_password(config.target, Side::target)});
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return repld::cli::run_program(
        argc, argv,
        {repld::app::load_config, examine, repld::app::check_servers, repld::app::run_hook});
  } catch (const std::exception& failure) {
    std::cerr << "replctl: " << failure.what() << '\n';
    return 1;
  }
}
