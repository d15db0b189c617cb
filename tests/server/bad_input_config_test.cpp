// Mistakes in the configuration: each ends the start with exit code 2, one message that names the
// place, and never a secret.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "server/bad_input.h"

using namespace repld::testing;

namespace {

constexpr const char* kSecret = "canary-of-config";

struct Mistake {
  std::string name;
  std::string config;
  std::vector<std::string> told;
};

const std::string kServers = std::string("[source]\ndsn = \"host=h password=") + kSecret +
                             "\"\n[target]\ndsn = \"host=h\"\n";

std::vector<Mistake> mistakes() {
  return {
      {"unknown key", kServers + "[link]\nnaem = \"x\"\n", {"repld.toml:6", "naem", "name"}},
      {"unknown section", kServers + "[lnik]\nname = \"x\"\n", {"lnik", "Known are", "link"}},
      {"wrong type", kServers + "[apply]\nbatch_rows = \"many\"\n", {"repld.toml:6", "batch_rows"}},
      {"value out of range", kServers + "[copy]\nworkers = 0\n", {"workers", "1", "64"}},
      {"no TOML", kServers + "[link]\nname = = 5\n", {"repld.toml:6", "TOML"}},
      {"a password with quotes, not escaped",
       std::string("[source]\ndsn = \"password=") + kSecret + "\"x\"\n",
       {"repld.toml:2", "TOML"}},
      {"no dsn", "[source]\n[target]\ndsn = \"host=h\"\n", {"dsn", "required"}},
      {"dsn that cannot be parsed",
       std::string("[source]\ndsn = \"postgresql://u:") + kSecret +
           "%zz@h/d\"\n[target]\ndsn = \"\"",
       {"dsn"}},
      {"dsn with an unknown word",
       std::string("[source]\ndsn = \"hots=h password=") + kSecret +
           "\"\n[target]\ndsn = \"host=h\"\n",
       {"source.dsn cannot be parsed", "percent-encode", "password_file"}},
      {"group twice",
       kServers + "[[groups]]\nname = \"a\"\ntables = [\"public.t\"]\n"
                  "[[groups]]\nname = \"a\"\ntables = [\"public.u\"]\n",
       {"repld.toml:9", "twice"}},
      {"table in two groups",
       kServers + "[[groups]]\nname = \"a\"\ntables = [\"public.t\"]\n"
                  "[[groups]]\nname = \"b\"\ntables = [\"public.t\"]\n",
       {"public.t", "two groups"}},
      {"two passwords",
       "[source]\ndsn = \"host=h\"\npassword_file = \"/a\"\npassword_env = \"B\"\n"
       "[target]\ndsn = \"host=h\"\n",
       {"several passwords", "one of"}},
      {"password file that is missing",
       "[source]\ndsn = \"host=h\"\npassword_file = \"/nonexistent/pw\"\n"
       "[target]\ndsn = \"host=h\"\n",
       {"source.password_file", "/nonexistent/pw", "readable by the daemon's user"}},
      {"password file that is a directory",
       "[source]\ndsn = \"host=h\"\n[target]\ndsn = \"host=h\"\npassword_file = \"/tmp\"\n",
       {"target.password_file", "/tmp", "cannot be read"}},
      {"password file that is empty",
       "[source]\ndsn = \"host=h\"\npassword_file = \"/dev/null\"\n[target]\ndsn = \"host=h\"\n",
       {"source.password_file", "is empty"}},
      {"password variable that is not set",
       "[source]\ndsn = \"host=h\"\npassword_env = \"REPLD_NO_SUCH\"\n[target]\ndsn = \"host=h\"\n",
       {"source.password_env", "REPLD_NO_SUCH"}},
      {"credential without systemd",
       "[source]\ndsn = \"host=h\"\npassword_credential = \"pw\"\n[target]\ndsn = \"host=h\"\n",
       {"password_credential", "LoadCredential"}},
      {"no address to listen on",
       kServers + "[http]\nlisten = \"9847\"\n",
       {"listen", "host:port", "127.0.0.1:9847"}},
      {"address that is not ours",
       kServers + "[http]\nlisten = \"192.0.2.1:9847\"\n",
       {"cannot listen on 192.0.2.1:9847"}},
  };
}

}  // namespace

TEST_SUITE("bad_input") {
  TEST_CASE("a mistake in the configuration ends the start with exit code 2 and says where") {
    for (const Mistake& mistake : mistakes()) {
      CAPTURE(mistake.name);
      Daemon daemon("", "", "pair");
      std::ofstream(daemon.config_path(), std::ios::trunc)
          << mistake.config << "\n[control]\nsocket = \"" << daemon.directory()
          << "/control.sock\"\n";
      daemon.start();
      CHECK(daemon.wait_for_death() == 2);
      const std::string log = daemon.log_text();
      for (const std::string& part : mistake.told) {
        CHECK_MESSAGE(log.find(part) != std::string::npos, part << " in: " << log);
      }
      CHECK(log.find(kSecret) == std::string::npos);
      const Outcome check = daemon.replctl({"config", "check"});
      CHECK((check.out + check.err).find(kSecret) == std::string::npos);
    }
  }

  TEST_CASE("a configuration file that is missing is named") {
    Daemon daemon("", "", "pair");
    std::filesystem::remove(daemon.config_path());
    daemon.start();
    CHECK(daemon.wait_for_death() == 2);
    CHECK(daemon.log_text().find(daemon.config_path() + ": cannot be read") != std::string::npos);
  }
}
