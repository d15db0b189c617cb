// Neither a password nor a row's value is in what commands answer, nor in what the daemon notes
// about them. Keys are told to whoever asks for them, with --keys or a repair that is rehearsed.
#include <doctest/doctest.h>

#include <fstream>

#include "existing_links.h"

using namespace repld::testing;

namespace {

constexpr const char* kPassword = "canary-password{|}";
constexpr const char* kValue = "canary-value";

// Asks replctl, and keeps what it said.
class Listener {
 public:
  explicit Listener(const Pair& pair) : pair_(pair) {}

  int ask(const std::vector<std::string>& command) {
    const Outcome outcome = pair_.daemon.replctl(command);
    const std::string name = std::to_string(++asked_) + " " + command.front();
    words_[name] = outcome.out + outcome.err;
    return outcome.exit_code;
  }
  const std::string& last(const std::string& command) const {
    return words_.at(std::to_string(asked_) + " " + command);
  }

  void check_silent() {
    for (const char* command : {"events", "status", "tables"}) {
      ask({command});
    }
    words_["log"] = pair_.daemon.log_text();
    words_["status"] = pair_.daemon.status_json();
    for (const auto& row :
         Pair::run_sql(pair_.target.superuser_dsn, "select message from repld.event")) {
      words_["repld.event"] += row[0].c_str();
    }
    for (const auto& [where, text] : words_) {
      CAPTURE(where);
      CHECK(text.find(kPassword) == std::string::npos);
      CHECK_MESSAGE(text.find(kValue) == std::string::npos, text.substr(0, 2000));
    }
  }

 private:
  const Pair& pair_;
  int asked_ = 0;
  std::map<std::string, std::string> words_;
};

constexpr const char* kRefusing =
    "alter table t add constraint short check (length(v) < 5) not valid";

}  // namespace

TEST_SUITE("canary") {
  TEST_CASE("doctor, verify, repair, resync and skip answer without secrets, whatever goes wrong") {
    PairOptions options;
    options.extra = "[log]\nlevel = \"trace\"\n[verify]\nevery = \"0\"";
    Pair pair(options);
    pair.on_both(
        "create table t (id int primary key, v text, u text unique); create table k (v text)");
    const std::string value = std::string("'") + kValue + "'";
    pair.on_source("alter table k replica identity full; insert into t values (1, " + value +
                   ", 'u1'), (2, " + value + ", " + value + "); insert into k values (" + value +
                   ")");
    as_admin(pair.target, "alter role gen_user password '" + std::string(kPassword) + "'");
    pair.target.cluster->admit({"host all gen_user all scram-sha-256"});
    const std::string file = pair.daemon.directory() + "/password";
    std::ofstream(file) << kPassword;
    pair.daemon.add_to_target("password_file = \"" + file + "\"");
    const auto on_target = [&](const std::string& sql) { as_admin(pair.target, sql); };
    Listener listener(pair);
    listener.ask({"doctor"});
    pair.daemon.start();
    REQUIRE(pair.caught_up());
    const std::string nonce =
        Pair::run_sql(pair.target.superuser_dsn, "select guard_nonce from repld.progress")[0][0]
            .c_str();
    const auto damage = [&] {
      on_target("set repld.apply = '" + nonce + "'; update t set v = '' where id = 2; " +
                "delete from k");
    };

    damage();
    on_target(kRefusing);
    listener.ask({"doctor"});
    CHECK(listener.ask({"verify"}) == 1);
    CHECK(listener.ask({"repair"}) == 1);
    CHECK_MESSAGE(has(listener.last("repair"), "short"), listener.last("repair"));
    on_target("alter table t drop constraint short");
    CHECK(listener.ask({"repair"}) == 0);

    on_target(kRefusing);
    CHECK(listener.ask({"resync", "public.t"}) == 0);
    CHECK(eventually(30s, [&] { return has(events(pair), "short"); }));
    on_target("alter table t drop constraint short");
    REQUIRE(listener.ask({"resume"}) == 0);
    REQUIRE(pair.daemon.wait_for("copied", 60s));
    REQUIRE(pair.caught_up());

    on_target("alter table t add constraint short check (length(v) < 15)");
    pair.on_source("insert into t values (3, repeat(" + value + ", 2), 'u3')");
    REQUIRE(pair.paused_with("23514"));
    listener.ask({"doctor"});
    listener.ask({"verify"});
    CHECK(listener.ask({"skip", "--lsn", "0/1", "--yes"}) == 1);
    const std::string lsn = pair.link()["error"]["transaction"];
    CHECK(listener.ask({"skip", "--lsn", lsn, "--yes"}) == 0);
    REQUIRE(pair.caught_up());
    CHECK(listener.ask({"verify"}) == 1);
    listener.check_silent();
  }
}
