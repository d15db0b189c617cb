// replctl: the operator's hand on a running repld. `replctl --help` lists its verbs.
#include "app/config_file.h"
#include "cli/program.h"

int main(int argc, char** argv) {
  return repld::cli::run_program(argc, argv, repld::app::load_config);
}
