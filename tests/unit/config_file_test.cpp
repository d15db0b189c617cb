#include "app/config_file.h"

#include <doctest/doctest.h>

#include "core/error.h"

using namespace repld;

namespace {

// Four lines that must be there; what a case adds starts on line 5.
const std::string kServers =
    "[source]\n"
    "dsn = \"host=old\"\n"
    "[target]\n"
    "dsn = \"host=new\"\n";

Config parse(const std::string& more) { return app::parse_config(kServers + more, "repld.toml"); }

Error error_of(const std::string& text) {
  try {
    app::parse_config(text, "repld.toml");
  } catch (const Error& error) {
    return error;
  }
  return Error(ErrorKind::internal, "nothing was refused");
}

struct Mistake {
  const char* text;
  const char* message;
  const char* hint;
};

void check_mistakes(const std::vector<Mistake>& mistakes) {
  for (const Mistake& mistake : mistakes) {
    CAPTURE(mistake.text);
    const Error error = error_of(kServers + mistake.text);
    CHECK(error.kind() == ErrorKind::config);
    CHECK(std::string(error.what()) == mistake.message);
    CHECK(error.hint() == mistake.hint);
  }
}

}  // namespace

TEST_CASE("what a file leaves out has its default") {
  const Config config = parse("");
  const Config defaults;
  CHECK(config.source.dsn == "host=old");
  CHECK(config.target.dsn == "host=new");
  CHECK(config.link.name == defaults.link.name);
  CHECK(config.link.confirm_margin_ms == 60'000);
  CHECK(config.tables.include == std::vector<std::string>{"public.*"});
  CHECK(config.groups.empty());
  CHECK(config.copy.workers == 2);
  CHECK(config.apply.memory_mb == 128);
  CHECK(config.http.listen == "127.0.0.1:9847");
  CHECK(config.control.socket == "/run/repld/control.sock");
  CHECK(config.log.format == LogFormat::automatic);
}

TEST_CASE("every key reaches its place") {
  const Config config = parse(
      "[link]\nname = \"salon_2\"\nconfirm_margin = \"5s\"\nguard = false\n"
      "create_publication = true\npublications = []\n"
      "[tables]\ninclude = [\"a.*\", \"b.c\"]\nexclude = [\"a.log\"]\n"
      "[[groups]]\nname = \"g\"\ntables = [\"a.b\"]\nprimary = \"target\"\n"
      "[[groups]]\nname = \"h\"\ntables = []\nprimary = \"source\"\n"
      "[copy]\ninitial = false\nworkers = 8\nepoch = \"2s\"\non_nonempty = \"refuse\"\n"
      "[apply]\nbatch_rows = 5\nmemory_mb = 64\non_new_column = \"add\"\n"
      "on_missing_partition = \"pause\"\n"
      "[verify]\nevery = \"0\"\ntime_percent = 50\nsnapshot_age = \"5s\"\n"
      "[[verify.schedule]]\ntables = [\"a.b*\"]\nevery = \"6h\"\n"
      "[[verify.schedule]]\ntables = [\"a.c\"]\n"
      "[http]\nlisten = \"[::1]:0\"\n[control]\nsocket = \"/tmp/c\"\n"
      "[cutover]\nmax_freeze = \"1s\"\nbefore_freeze = [\"a\", \"b\"]\nafter_flip = [\"c\"]\n"
      "after_rollback = [\"d\"]\n"
      "[log]\nlevel = \"debug\"\nformat = \"json\"\n");
  CHECK(config.link.name == "salon_2");
  CHECK(config.link.confirm_margin_ms == 5'000);
  CHECK_FALSE(config.link.guard);
  CHECK(config.tables.include == std::vector<std::string>{"a.*", "b.c"});
  CHECK(config.tables.exclude == std::vector<std::string>{"a.log"});
  REQUIRE(config.groups.size() == 2);
  CHECK(config.groups[0].name == "g");
  CHECK(config.groups[0].tables == std::vector<std::string>{"a.b"});
  CHECK(config.groups[0].primary == Side::target);
  CHECK(config.groups[1].primary == Side::source);
  CHECK_FALSE(config.copy.initial);
  CHECK(config.copy.workers == 8);
  CHECK(config.copy.epoch_ms == 2'000);
  CHECK(config.apply.batch_rows == 5);
  CHECK(config.apply.memory_mb == 64);
  CHECK(config.apply.on_new_column == OnNewColumn::add);
  CHECK(config.apply.on_missing_partition == OnMissingPartition::pause);
  CHECK(config.verify.every_ms == 0);
  CHECK(config.verify.time_percent == 50);
  CHECK(config.verify.snapshot_age_ms == 5'000);
  REQUIRE(config.verify.schedule.size() == 2);
  CHECK(config.verify.schedule[0].tables == std::vector<std::string>{"a.b*"});
  CHECK(config.verify.schedule[0].every_ms == 6 * 3'600'000);
  CHECK(config.verify.schedule[1].every_ms == 0);
  CHECK(config.http.listen == "[::1]:0");
  CHECK(config.control.socket == "/tmp/c");
  CHECK(config.cutover.max_freeze_ms == 1'000);
  CHECK(config.cutover.before_freeze == std::vector<std::string>{"a", "b"});
  CHECK(config.cutover.after_flip == std::vector<std::string>{"c"});
  CHECK(config.cutover.after_rollback == std::vector<std::string>{"d"});
  CHECK(config.log.level == "debug");
  CHECK(config.log.format == LogFormat::json);
}

TEST_CASE("the ways to name a password are read") {
  const Config config = app::parse_config(
      "[source]\ndsn = \"a\"\npassword_file = \"/p\"\n[target]\ndsn = \"b\"\n"
      "password_credential = \"c\"\n",
      "repld.toml");
  CHECK(config.source.password_file == "/p");
  CHECK(config.target.password_credential == "c");
  const Config other = app::parse_config(
      "[source]\ndsn = \"a\"\npassword_env = \"E\"\n[target]\ndsn = \"b\"\n", "repld.toml");
  CHECK(other.source.password_env == "E");
}

TEST_CASE("a value of the wrong kind is refused where it stands") {
  const char* duration_hint = "Write \"250ms\", \"20s\", \"15m\", \"1h\" or \"0\".";
  check_mistakes({
      {"[link]\nname = 5\n", "repld.toml:6:8: link.name: must be a string", ""},
      {"[link]\nguard = \"yes\"\n", "repld.toml:6:9: link.guard: must be true or false", ""},
      {"[link]\nguard = 1\n", "repld.toml:6:9: link.guard: must be true or false", ""},
      {"[tables]\ninclude = \"a.*\"\n",
       "repld.toml:6:11: tables.include: must be a list of strings", ""},
      {"[tables]\nexclude = [\"a\", 1]\n",
       "repld.toml:6:11: tables.exclude: must be a list of strings", ""},
      {"[copy]\nworkers = \"2\"\n",
       "repld.toml:6:11: copy.workers: must be an integer from 1 to 64", ""},
      {"[copy]\nworkers = 2.0\n", "repld.toml:6:11: copy.workers: must be an integer from 1 to 64",
       ""},
      {"[link]\nconfirm_margin = 60\n", "repld.toml:6:18: link.confirm_margin: must be a duration",
       duration_hint},
      {"[copy]\nepoch = \"20 s\"\n", "repld.toml:6:9: copy.epoch: must be a duration",
       duration_hint},
      {"[verify]\nevery = \"soon\"\n", "repld.toml:6:9: verify.every: must be a duration",
       duration_hint},
      {"[verify]\nschedule = \"6h\"\n",
       "repld.toml:6:12: \"verify.schedule\" must be a list of sections",
       "Write [[verify.schedule]] before each."},
      {"[cutover]\nmax_freeze = \"-1s\"\n",
       "repld.toml:6:14: cutover.max_freeze: must be a duration", duration_hint},
      {"[log]\nlevel = \"loud\"\n",
       "repld.toml:6:9: log.level: must be one of: trace, debug, info, warn, error", ""},
      {"[log]\nformat = true\n", "repld.toml:6:10: log.format: must be one of: auto, text, json",
       ""},
      {"[log]\nformat = \"\"\n", "repld.toml:6:10: log.format: must be one of: auto, text, json",
       ""},
  });
}

TEST_CASE("a value out of its bounds is refused where it stands") {
  const char* slot_hint = "It becomes part of a replication slot's name.";
  check_mistakes({
      {"[copy]\nworkers = 0\n", "repld.toml:6:11: copy.workers: must be an integer from 1 to 64",
       ""},
      {"[copy]\nworkers = 65\n", "repld.toml:6:11: copy.workers: must be an integer from 1 to 64",
       ""},
      {"[verify]\ntime_percent = 0\n",
       "repld.toml:6:16: verify.time_percent: must be an integer from 1 to 100", ""},
      {"[[verify.schedule]]\ntables = []\n",
       "repld.toml:6:10: verify.schedule.tables: must name at least one table", ""},
      {"[[verify.schedule]]\ntable = [\"a.b\"]\n",
       "repld.toml:6:1: unknown key \"verify.schedule.table\"", "Did you mean \"tables\"?"},
      {"[apply]\nmemory_mb = 15\n",
       "repld.toml:6:13: apply.memory_mb: must be an integer from 16 to 1048576", ""},
      {"[apply]\nbatch_rows = -1\n",
       "repld.toml:6:14: apply.batch_rows: must be an integer from 1 to 10000000", ""},
      {"[link]\nname = \"Salon\"\n", "repld.toml:6:8: link.name: must be 1 to 40 of a-z, 0-9 and _",
       slot_hint},
      {"[link]\nname = \"\"\n", "repld.toml:6:8: link.name: must be 1 to 40 of a-z, 0-9 and _",
       slot_hint},
      {"[tables]\ninclude = []\n", "repld.toml:6:11: tables.include: must name at least one table",
       ""},
      {"[http]\nlisten = \"9847\"\n", "repld.toml:6:10: http.listen: must be host:port",
       "For example 127.0.0.1:9847."},
      {"[http]\nlisten = \"host:\"\n", "repld.toml:6:10: http.listen: must be host:port",
       "For example 127.0.0.1:9847."},
      {"[http]\nlisten = \"::99999\"\n", "repld.toml:6:10: http.listen: must be host:port",
       "For example 127.0.0.1:9847."},
      {"[control]\nsocket = \"\"\n",
       "repld.toml:6:10: control.socket: must be a path of 1 to 100 bytes", ""},
  });
  CHECK(error_of(kServers + "[control]\nsocket = \"/" + std::string(100, 'a') + "\"\n").kind() ==
        ErrorKind::config);
  CHECK(parse("[control]\nsocket = \"/" + std::string(99, 'a') + "\"\n").control.socket.size() ==
        100);
  CHECK(error_of(kServers + "[link]\nname = \"" + std::string(41, 'a') + "\"\n").kind() ==
        ErrorKind::config);
  CHECK(parse("[link]\nname = \"" + std::string(40, 'a') + "\"\n").link.name.size() == 40);
}

TEST_CASE("a section or key that nobody reads is refused, with the nearest as hint") {
  const char* sections =
      "Known are: source, target, link, tables, groups, copy, apply, verify, http, control, log, "
      "cutover.";
  check_mistakes({
      {"[lnk]\n", "repld.toml:5:2: unknown section \"lnk\"", sections},
      {"[link]\ngaurd = true\n", "repld.toml:6:1: unknown key \"link.gaurd\"",
       "Did you mean \"guard\"?"},
      {"[copy]\ninitial = true\n\n  worker = 3\n", "repld.toml:8:3: unknown key \"copy.worker\"",
       "Did you mean \"workers\"?"},
      {"[log]\nformt = \"json\"\n", "repld.toml:6:1: unknown key \"log.formt\"",
       "Did you mean \"format\"?"},
      {"[log]\ncompletely_different = 1\n",
       "repld.toml:6:1: unknown key \"log.completely_different\"", ""},
      {"[link.more]\n", "repld.toml:5:7: unknown key \"link.more\"", "Did you mean \"name\"?"},
      {"[[groups]]\nname = \"g\"\ntable = [\"a.b\"]\n",
       "repld.toml:7:1: unknown key \"groups.table\"", "Did you mean \"tables\"?"},
  });
}

TEST_CASE("a section of the wrong shape is refused where it stands") {
  check_mistakes({
      {"[[link]]\n", "repld.toml:5:1: \"link\" must be a section",
       "Write [link] on a line of its own."},
      {"[groups]\n", "repld.toml:5:1: \"groups\" must be a list of sections",
       "Write [[groups]] before each."},
  });
  const Error error = error_of("link = 3\n" + kServers);
  CHECK(std::string(error.what()) == "repld.toml:1:8: \"link\" must be a section");
}

TEST_CASE("groups that could not be told apart are refused") {
  check_mistakes({
      {"[[groups]]\ntables = [\"a.b\"]\n", "repld.toml: groups.name: is required", ""},
      {"[[groups]]\nname = \"all\"\n", "repld.toml:6:8: groups.name: is used twice", ""},
      {"[[groups]]\nname = \"g\"\n[[groups]]\nname = \"g\"\n",
       "repld.toml:8:8: groups.name: is used twice", ""},
      {"[[groups]]\nname = \"g\"\ntables = [\"a.b\"]\n"
       "[[groups]]\nname = \"h\"\ntables = [\"a.b\"]\n",
       "repld.toml:10:10: groups.tables: \"a.b\" is in two groups", ""},
      {"[[groups]]\nname = \"g\"\nprimary = \"both\"\n",
       "repld.toml:7:11: groups.primary: must be one of: source, target", ""},
  });
}

TEST_CASE("publications of others go with create_publication = false, and only with it") {
  check_mistakes({
      {"[link]\ncreate_publication = false\n",
       "repld.toml:6:22: link.create_publication: false needs publications to use",
       "Name them in link.publications; or leave it out, then repld makes its own."},
      {"[link]\npublications = [\"p\"]\n",
       "repld.toml:6:16: link.publications: needs create_publication = false", ""},
      {"[link]\ncreate_publication = false\npublications = [\"\"]\n",
       "repld.toml:7:16: link.publications: must be names of 1 to 63 bytes", ""},
  });
  const Config config =
      parse("[link]\ncreate_publication = false\npublications = [\"p\", \"Q, r\"]\n");
  CHECK_FALSE(config.link.create_publication);
  CHECK(config.link.publications == std::vector<std::string>{"p", "Q, r"});
}
