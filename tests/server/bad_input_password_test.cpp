// Password files that the daemon's user cannot use, or that everyone can.
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <fstream>

#include "server/bad_input.h"
#include "support/server_user.h"

using namespace repld::testing;

namespace {

constexpr const char* kSecret = "canary-of-password-file";
constexpr mode_t kNobody = 0;

void write_file(const std::string& path, const std::string& text, mode_t mode) {
  std::ofstream(path, std::ios::trunc) << text;
  REQUIRE(::chmod(path.c_str(), mode) == 0);
  hand_over(path);
}

struct Mistake {
  std::string name;
  std::string text;  // of the file
  mode_t mode;
  std::string asked;  // the path, after the daemon's directory
  std::string told;
};

// As the daemon's user, who is no superuser of the machine.
Outcome start_without_rights(const Daemon& daemon) {
  hand_over(daemon.directory());
  hand_over(daemon.config_path());
  return run(as_server_user(
      {"timeout", "20", Daemon::program("repld"), "--config", daemon.config_path()}));
}

size_t count(const std::string& text, const std::string& part) {
  size_t found = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++found;
  }
  return found;
}

}  // namespace

TEST_SUITE("bad_input") {
  TEST_CASE("a password file that the daemon's user cannot use ends the start with one message") {
    const Mistake mistakes[] = {
        {"missing", kSecret, 0600, "/other", "cannot be read"},
        {"a directory", kSecret, 0600, "", "cannot be read"},
        {"not readable for us", kSecret, kNobody, "/password", "cannot be read"},
        {"beyond a file", kSecret, 0600, "/password/x", "cannot be read"},
        {"empty", "", 0600, "/password", "is empty"},
        {"nothing but a line end", "\r\n", 0600, "/password", "is empty"},
    };
    for (const std::string side : {"source", "target"}) {
      for (const Mistake& mistake : mistakes) {
        CAPTURE(side);
        CAPTURE(mistake.name);
        Daemon daemon("host=127.0.0.1 port=1", "host=127.0.0.1 port=1", "pair");
        write_file(daemon.directory() + "/password", mistake.text, mistake.mode);
        const std::string path = daemon.directory() + mistake.asked;
        const std::string line = "password_file = \"" + path + "\"";
        side == "source" ? daemon.add_to_source(line) : daemon.add_to_target(line);
        const Outcome outcome = start_without_rights(daemon);
        const std::string said = outcome.out + outcome.err;
        CHECK_MESSAGE(outcome.exit_code == 2, said);
        CHECK_MESSAGE(said.find(side + ".password_file: \"" + path + "\" " + mistake.told) !=
                          std::string::npos,
                      said);
        CHECK_MESSAGE(count(said, path) == 1, said);
        CHECK((mistake.told == "is empty" || count(said, "readable by the daemon's user") == 1));
        CHECK(count(said, kSecret) == 0);
      }
    }
  }

  TEST_CASE("a password file that everyone on the machine can read is warned of") {
    struct Row {
      mode_t mode;
      bool warned;
    };
    for (const Row& row : {Row{0600, false}, Row{0640, false}, Row{0644, true}}) {
      CAPTURE(row.mode);
      Daemon daemon("host=127.0.0.1 port=1", "host=127.0.0.1 port=1", "pair");
      const std::string path = daemon.directory() + "/password";
      write_file(path, kSecret, row.mode);
      daemon.add_to_target("password_file = \"" + path + "\"");
      daemon.start();
      CHECK(daemon.wait_for_state("retrying", 20s));
      const std::string log = daemon.log_text();
      CHECK((count(log, "chmod o-rwx " + path) == 1) == row.warned);
      CHECK(count(log, kSecret) == 0);
    }
  }
}
