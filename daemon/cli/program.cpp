#include "cli/program.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>

#include "cli/commands.h"
#include "cli/cutover.h"
#include "cli/report_text.h"
#include "core/duration.h"
#include "core/error.h"
#include "core/lsn.h"

namespace repld::cli {

namespace {

constexpr const char* kDefaultConfig = "/etc/repld/repld.toml";

void print(const Error& error) {
  std::cerr << "replctl: " << error.what() << '\n';
  if (!error.detail().empty()) {
    std::cerr << "  detail: " << error.detail() << '\n';
  }
  if (!error.hint().empty()) {
    std::cerr << "  hint: " << error.hint() << '\n';
  }
}

// What the command line said; commands only fill it in, so that parsing has no effects.
struct Choice {
  std::string config_path;
  std::string socket_path;
  Output output;
  bool watch = false;
  std::string goal;
  std::string timeout = "60s";
  bool follow = false;
  bool yes = false;
  bool source_gone = false;
  bool ddl = false;
  std::string lsn;
  std::vector<std::string> tables;
  bool keys = false;
  bool dry_run = false;
  std::string verify_timeout;
  std::string group = "all";
  std::string max_freeze;
  bool without_reverse = false;
};

// Of the file that is named or, without a socket, of the usual one.
Config config_of(const Choice& choice, const Tools& tools) {
  Config config;
  // One in a directory that we may not enter is nothing to us.
  std::error_code unknown;
  if (!choice.config_path.empty()) {
    config = tools.load_config(choice.config_path);
  } else if (choice.socket_path.empty() && std::filesystem::exists(kDefaultConfig, unknown)) {
    config = tools.load_config(kDefaultConfig);
  }
  if (!choice.socket_path.empty()) {
    config.control.socket = choice.socket_path;
  }
  return config;
}

int check_config(const Choice& choice, const Tools& tools) {
  try {
    const Config config =
        tools.load_config(choice.config_path.empty() ? kDefaultConfig : choice.config_path);
    tools.check(config);
  } catch (const Error& error) {
    print(error);
    return kRefused;
  }
  std::cout << "ok\n";
  return kDone;
}

// Only what could not be asked makes the DDL useless; all else it is there to mend.
int print_ddl(const Report& report) {
  int result = kDone;
  for (const Finding& finding : report.findings) {
    if (finding.severity == Severity::error &&
        (finding.check == "connect" || finding.check == "version")) {
      std::cerr << "replctl: " << to_string(finding.side) << ": " << finding.what << '\n';
      result = kRefused;
    }
  }
  std::cout << report.ddl;
  return result;
}

int run_doctor(const Choice& choice, const Tools& tools) {
  try {
    const Config config =
        tools.load_config(choice.config_path.empty() ? kDefaultConfig : choice.config_path);
    const Report report = tools.examine(config);
    if (choice.ddl) {
      return print_ddl(report);
    }
    std::cout << (choice.output.json ? report_json(report) + "\n"
                                     : render_report(report, choice.output.colour));
    return has_error(report) ? kRefused : kDone;
  } catch (const Error& error) {
    print(error);
    return error.kind() == ErrorKind::config ? kUsage : kRefused;
  }
}

int run_status(const Client& client, const Choice& choice) {
  if (choice.goal.empty()) {
    return choice.watch ? watch_status(client, choice.output) : show_status(client, choice.output);
  }
  const Goal goal = choice.goal == "streaming" ? Goal::streaming
                    : choice.goal == "copied"  ? Goal::copied
                                               : Goal::caught_up;
  return wait_for(client, choice.output, goal,
                  std::chrono::milliseconds(*parse_duration_ms(choice.timeout)));
}

int run_finalize(const Client& client, const Choice& choice) {
  if (!choice.yes && ::isatty(STDIN_FILENO) == 0) {
    std::cerr << "replctl: finalize ends the replication for good; say --yes\n";
    return kUsage;
  }
  if (!choice.yes) {
    std::cout << "This ends the replication: slot, publication, guard and state are removed.\n"
                 "Type yes to go on: ";
    std::string answer;
    std::getline(std::cin, answer);
    if (answer != "yes") {
      std::cerr << "replctl: nothing was changed\n";
      return kRefused;
    }
  }
  return send_command(client, choice.output,
                      choice.source_gone ? "finalize?source_gone=true" : "finalize");
}

int run_verify(const Client& client, const Choice& choice, bool repair) {
  VerifyOptions options;
  options.repair = repair;
  options.dry_run = choice.dry_run;
  options.tables = choice.tables;
  options.keys = choice.keys || choice.dry_run;
  if (!choice.verify_timeout.empty()) {
    options.timeout = std::chrono::milliseconds(*parse_duration_ms(choice.verify_timeout));
  }
  return verify(client, choice.output, options);
}

int run_cutover(const Client& client, const Choice& choice, const Config& config,
                const Tools& tools, bool rollback) {
  CutoverOptions options;
  options.rollback = rollback;
  options.group = choice.group;
  options.dry_run = choice.dry_run;
  options.yes = choice.yes;
  options.without_reverse = choice.without_reverse;
  if (!choice.max_freeze.empty()) {
    options.max_freeze_ms = *parse_duration_ms(choice.max_freeze);
  }
  options.hooks = config.cutover;
  options.run_hook = tools.run_hook;
  return cutover(client, choice.output, options);
}

int run_skip(const Client& client, const Choice& choice) {
  if (!choice.yes) {
    std::cerr << "replctl: skip leaves a whole transaction of the source out of the target for "
                 "good; say --yes\n";
    return kUsage;
  }
  return send_command(client, choice.output, "skip?lsn=" + choice.lsn);
}

std::string is_duration(const std::string& text) {
  return parse_duration_ms(text) ? std::string() : "is no duration like 60s or 5m";
}

void add_cutover(CLI::App& program, Choice& choice, const char* name, const char* what) {
  CLI::App* cutover = program.add_subcommand(name, what);
  cutover->add_option("--group", choice.group, "which tables; all those of no group without");
  cutover->add_flag("--dry-run", choice.dry_run, "only say what speaks against it, and the plan");
  cutover->add_flag("--yes", choice.yes, "do not ask");
  cutover->add_option("--max-freeze", choice.max_freeze, "how long writers may wait, like 2.5s")
      ->check(is_duration);
  cutover->add_flag("--without-reverse", choice.without_reverse,
                    "make no link back: there is no rollback then");
}

void add_proofs(CLI::App& program, Choice& choice) {
  CLI::App* verify = program.add_subcommand("verify", "prove now that tables are equal");
  verify->add_option("tables", choice.tables, "as schema.table; all without");
  verify->add_flag("--keys", choice.keys, "print the keys of rows that differ");
  verify->add_option("--timeout", choice.verify_timeout, "how long to wait, like 60s or 5m")
      ->check(is_duration);
  CLI::App* repair = program.add_subcommand("repair", "make rows that differ what the source has");
  repair->add_option("tables", choice.tables, "as schema.table; all without");
  repair->add_flag("--dry-run", choice.dry_run, "only print the keys of rows that differ");
  repair->add_option("--timeout", choice.verify_timeout, "how long to wait, like 60s or 5m")
      ->check(is_duration);
  CLI::App* resync = program.add_subcommand("resync", "empty tables and copy them afresh");
  resync->add_option("tables", choice.tables, "as schema.table")->required();
}

int run_on_daemon(const std::string& name, const Choice& choice, const Config& configured,
                  const Tools& tools) {
  const Client client(configured.control.socket);
  if (name == "status") return run_status(client, choice);
  if (name == "tables") return show_tables(client, choice.output);
  if (name == "events") return show_events(client, choice.output, choice.follow);
  if (name == "finalize") return run_finalize(client, choice);
  if (name == "verify") return run_verify(client, choice, false);
  if (name == "repair") return run_verify(client, choice, true);
  if (name == "resync") return resync(client, choice.output, choice.tables);
  if (name == "skip") return run_skip(client, choice);
  if (name == "cutover" || name == "rollback") {
    return run_cutover(client, choice, configured, tools, name == "rollback");
  }
  return send_command(client, choice.output, name);
}

}  // namespace

int run_program(int argc, char** argv, const Tools& tools) {
  CLI::App program("Operates a running repld.", "replctl");
  Choice choice;
  program.set_version_flag("--version", REPLD_VERSION);
  auto* config = program.add_option("--config", choice.config_path, "repld's configuration file");
  program.add_option("--socket", choice.socket_path, "repld's control socket")->excludes(config);
  program.add_flag("--json", choice.output.json, "print JSON");
  program.require_subcommand(1);
  program.fallthrough();

  CLI::App* status = program.add_subcommand("status", "links, lag, positions");
  status->add_flag("--watch", choice.watch, "refresh every second");
  status->add_option("--wait-for", choice.goal, "return once this is reached")
      ->check(CLI::IsMember({"streaming", "copied", "caught-up"}));
  status->add_option("--timeout", choice.timeout, "for --wait-for, like 60s or 5m")
      ->check(is_duration);
  CLI::App* doctor = program.add_subcommand("doctor", "what is missing, and what mends it");
  doctor->add_flag("--ddl", choice.ddl, "print only the SQL that makes the target fit");
  program.add_subcommand("tables", "state of each table");
  program.add_subcommand("pause", "stop applying until resume");
  program.add_subcommand("resume", "go on after a pause or an error");
  program.add_subcommand("arm", "make the way back ready, as a cutover does first");
  CLI::App* skip = program.add_subcommand("skip", "leave out the transaction it has stopped at");
  skip->add_option("--lsn", choice.lsn, "where that was committed, as status tells")
      ->required()
      ->check([](const std::string& text) {
        return try_parse_lsn(text) ? std::string() : "is no position like 16/B374D848";
      });
  skip->add_flag("--yes", choice.yes, "do it: the transaction is lost for the target");
  add_proofs(program, choice);
  add_cutover(program, choice, "cutover", "move the applications' tables to the target");
  add_cutover(program, choice, "rollback", "move them back to the source");
  CLI::App* events = program.add_subcommand("events", "what happened");
  events->add_flag("--follow", choice.follow, "keep printing new ones");
  CLI::App* config_command = program.add_subcommand("config", "the configuration file");
  config_command->require_subcommand(1);
  config_command->add_subcommand("check", "parse it and say what is wrong");
  CLI::App* finalize = program.add_subcommand("finalize", "end the replication and clean up");
  finalize->add_flag("--yes", choice.yes, "do not ask");
  finalize->add_flag("--source-gone", choice.source_gone, "do not ask the source: it is gone");

  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& failure) {
    return program.exit(failure) == 0 ? kDone : kUsage;
  }
  choice.output.colour = ::isatty(STDOUT_FILENO) == 1;
  const std::string name = program.get_subcommands().front()->get_name();
  if (name == "config") {
    return check_config(choice, tools);
  }
  if (name == "doctor") {
    return run_doctor(choice, tools);
  }
  Config configured;
  try {
    configured = config_of(choice, tools);
  } catch (const Error& error) {
    print(error);
    return kUsage;
  }
  return run_on_daemon(name, choice, configured, tools);
}

}  // namespace repld::cli
