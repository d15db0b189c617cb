// The end of a link: everything comes back that still can, whatever happened meanwhile.
#include <doctest/doctest.h>

#include <csignal>
#include <fstream>
#include <future>

#include "support/pair.h"

using namespace repld::testing;

namespace {

constexpr const char* kTouch =
    "create function touch() returns trigger language plpgsql as $$ begin return new; end $$; ";

Outcome finalize(const Pair& pair, const std::string& flag = "--yes") {
  return flag == "--yes" ? pair.daemon.replctl({"finalize", flag})
                         : pair.daemon.replctl({"finalize", "--yes", flag});
}

std::string events(const Pair& pair) { return pair.daemon.replctl({"events"}).out; }

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// pg_trigger.tgenabled; empty when there is no such trigger.
std::string state_of_trigger(const Pair& pair, const std::string& table, const std::string& name) {
  const auto rows = pair.on_target("select tgenabled::text from pg_trigger where tgrelid = '" +
                                   table + "'::regclass and tgname = '" + name + "'");
  return rows.empty() ? "" : rows[0][0].c_str();
}

// Whether it is validated, as t or f; empty when there is none.
std::string validated(const Pair& pair, const std::string& constraint) {
  const auto rows =
      pair.on_target("select convalidated::text from pg_constraint where conname = '" + constraint +
                     "' and conparentid = 0");
  return rows.empty() ? "" : rows[0][0].c_str();
}

bool guarded(const Pair& pair) {
  return pair.count(pair.target.dsn, "pg_trigger where tgname like 'repld_guard_%'") > 0;
}

int64_t journaled(const Pair& pair) { return pair.count(pair.target.dsn, "repld.set_aside"); }

// A server that goes on with its sessions and keeps new ones waiting, as one that is overloaded.
class Deaf {
 public:
  explicit Deaf(const PgCluster& cluster) {
    std::ifstream(cluster.directory() + "/data/postmaster.pid") >> pid_;
    REQUIRE(pid_ > 0);
    ::kill(pid_, SIGSTOP);
  }
  ~Deaf() { ::kill(pid_, SIGCONT); }

 private:
  pid_t pid_ = 0;
};

}  // namespace

TEST_SUITE("finalize") {
  TEST_CASE("what was dropped or broken meanwhile is told and does not keep the rest away") {
    Pair pair;
    pair.on_both(std::string(kTouch) +
                 "create table a (id int primary key); create table gone (id int primary key); "
                 "create table b (id int primary key, a_id int, constraint b_a foreign key (a_id) "
                 "references a); create table c (id int primary key, g_id int, constraint c_gone "
                 "foreign key (g_id) references gone); "
                 "create table p (id int, k int, primary key (id, k)) partition by list (k); "
                 "create table p1 partition of p for values in (1); "
                 "create table p2 partition of p for values in (2); "
                 "create trigger touch before update on p for each row execute function touch(); "
                 "create trigger kept before update on a for each row execute function touch(); "
                 "create trigger dropped before update on a for each row execute function touch(); "
                 "create rule quiet as on delete to gone do also notify deleted");
    pair.on_source("insert into a values (1); insert into b values (1, 1)");
    REQUIRE(pair.begin());
    pair.on_target("drop trigger dropped on a; drop table gone; drop table p2");
    pair.past_guard("insert into b values (2, 7654321)");

    const Outcome ended = finalize(pair);
    CHECK_MESSAGE(ended.exit_code == 0, ended.err);
    CHECK_FALSE(guarded(pair));
    CHECK(journaled(pair) == 0);
    CHECK(state_of_trigger(pair, "a", "kept") == "O");
    CHECK(state_of_trigger(pair, "p1", "touch") == "O");
    CHECK(validated(pair, "b_a") == "false");
    CHECK(validated(pair, "c_gone") == "");
    const std::string told = events(pair);
    CHECK_MESSAGE(has(told, "trigger \"dropped\" of \"public.a\""), told);
    CHECK_MESSAGE(has(told, "trigger \"touch\" of \"public.p2\""), told);
    CHECK_MESSAGE(has(told, "rule \"quiet\" of \"public.gone\""), told);
    CHECK_MESSAGE(has(told, "foreign key \"c_gone\" of \"public.c\""), told);
    CHECK_MESSAGE(has(told, "foreign key \"b_a\" of \"public.b\" could not be validated"), told);
    CHECK_MESSAGE(has(told, "23503"), told);
    CHECK_FALSE(has(told, "7654321"));
    CHECK(sqlstate_of(pair.target.dsn, "insert into b values (3, 7654322)") == "23503");
  }

  TEST_CASE("without a progress row guard and journal are found, and the slot is left") {
    Pair pair;
    pair.on_both(std::string(kTouch) +
                 "create table a (id int primary key); create trigger touch before update on a "
                 "for each row execute function touch()");
    pair.on_source("insert into a values (1)");
    REQUIRE(pair.begin());
    pair.daemon.kill9();
    pair.on_target("delete from repld.progress; delete from repld.table_state");
    pair.daemon.start();
    REQUIRE(eventually(20s, [&] { return !pair.error_message().empty(); }));

    const Outcome ended = finalize(pair);
    CHECK_MESSAGE(ended.exit_code == 0, ended.err);
    CHECK_FALSE(guarded(pair));
    CHECK(journaled(pair) == 0);
    CHECK(state_of_trigger(pair, "a", "touch") == "O");
    CHECK_MESSAGE(has(ended.out, "slot repld_pair"), ended.out);
    CHECK(pair.count(pair.source.dsn, "pg_replication_slots") == 1);
  }

  TEST_CASE("a source that is gone for good is left alone, by name") {
    Pair pair;
    pair.on_both("create table a (id int primary key)");
    REQUIRE(pair.begin());
    pair.source.cluster->stop(StopMode::immediate);
    const Outcome refused = finalize(pair);
    CHECK(refused.exit_code == 1);
    CHECK_MESSAGE(has(refused.err, "--source-gone"), refused.err);
    CHECK(guarded(pair));

    const Outcome ended = finalize(pair, "--source-gone");
    CHECK_MESSAGE(ended.exit_code == 0, ended.err);
    CHECK_MESSAGE(has(ended.out, "slot repld_pair and publication repld_pair"), ended.out);
    CHECK_FALSE(guarded(pair));
    CHECK(sqlstate_of(pair.target.dsn, "insert into a values (1)") == "");
    CHECK(has(events(pair), "publication repld_pair"));
  }

  TEST_CASE("a long read delays only the removal of the guard, not writes nor other reads") {
    Pair pair;
    pair.on_both(std::string(kTouch) +
                 "create table a (id int primary key); create table b (id int primary key); "
                 "create trigger touch before update on a for each row execute function touch()");
    REQUIRE(pair.begin());
    pqxx::connection reading(pair.target.dsn);
    auto read = std::make_unique<pqxx::work>(reading);
    read->exec("select * from public.a");
    auto ended = std::async(std::launch::async, [&] { return finalize(pair); });
    const auto writable = [&](const std::string& sql) {
      return eventually(10s, [&] { return sqlstate_of(pair.target.dsn, sql).empty(); });
    };
    CHECK(writable("set statement_timeout = '3s'; insert into a values (1)"));
    CHECK(writable("set statement_timeout = '3s'; insert into b values (1)"));
    CHECK(state_of_trigger(pair, "a", "touch") == "O");
    CHECK(eventually(10s, [&] { return has(events(pair), "for locks on public.a"); }));
    for (int i = 0; i < 5; ++i) {
      CHECK(sqlstate_of(pair.target.dsn, "set statement_timeout = '4s'; select * from a") == "");
    }
    CHECK(ended.wait_for(0s) == std::future_status::timeout);
    read.reset();
    const Outcome outcome = ended.get();
    CHECK_MESSAGE(outcome.exit_code == 0, outcome.err);
    CHECK_FALSE(guarded(pair));
  }

  TEST_CASE("a finalize that waits can be called off by another command, and says so") {
    Pair pair;
    pair.on_both("create table a (id int primary key)");
    pair.on_source("insert into a values (1)");
    REQUIRE(pair.begin());
    pqxx::connection reading(pair.target.dsn);
    auto read = std::make_unique<pqxx::work>(reading);
    read->exec("select * from public.a");
    auto ended = std::async(std::launch::async, [&] { return finalize(pair); });
    REQUIRE(eventually(10s, [&] { return has(events(pair), "for locks on public.a"); }));
    CHECK(pair.daemon.replctl({"pause"}).exit_code == 0);
    const Outcome outcome = ended.get();
    CHECK(outcome.exit_code == 1);
    CHECK_MESSAGE(has(outcome.err, "interrupted"), outcome.err);
    read.reset();
    CHECK(finalize(pair).exit_code == 0);
    CHECK_FALSE(guarded(pair));
  }

  TEST_CASE("triggers of partitions made meanwhile come back with the root's, others stay off") {
    Pair pair;
    pair.on_both(std::string(kTouch) +
                 "create table p (id int, k int, primary key (id, k)) partition by range (k); "
                 "create table p1 partition of p for values from (0) to (10); "
                 "create table p2 partition of p for values from (10) to (20) partition by "
                 "range (k); create table p2a partition of p2 for values from (10) to (15); "
                 "create trigger touch before update on p for each row execute function touch(); "
                 "create trigger always before update on p for each row execute function touch(); "
                 "alter table p enable always trigger always; "
                 "alter table p1 disable trigger touch");
    pair.on_source("insert into p values (1, 1)");
    REQUIRE(pair.begin());
    pair.on_source(
        "create table p3 partition of p for values from (20) to (30); "
        "create table p2b partition of p2 for values from (15) to (20)");
    pair.on_source("insert into p values (2, 20), (3, 15)");
    REQUIRE(pair.caught_up());
    REQUIRE(state_of_trigger(pair, "p3", "touch") == "D");
    pair.daemon.terminate();
    REQUIRE(pair.begin());  // once more over what is set aside

    const Outcome ended = finalize(pair);
    CHECK_MESSAGE(ended.exit_code == 0, ended.err);
    for (const char* table : {"p", "p2", "p2a", "p2b", "p3"}) {
      CAPTURE(table);
      CHECK(state_of_trigger(pair, table, "touch") == "O");
      CHECK(state_of_trigger(pair, table, "always") == "A");
    }
    CHECK(state_of_trigger(pair, "p1", "touch") == "D");
    CHECK(state_of_trigger(pair, "p1", "always") == "A");
    CHECK(journaled(pair) == 0);
  }

  TEST_CASE("a pause and a resume while the target is away leave the link running") {
    Pair pair;
    pair.on_both("create table a (id int primary key)");
    REQUIRE(pair.begin());
    pair.target.cluster->stop(StopMode::immediate);
    CHECK(pair.daemon.replctl({"pause"}).exit_code == 0);
    CHECK(pair.daemon.replctl({"resume"}).exit_code == 0);
    pair.on_source("insert into a values (1)");
    pair.target.cluster->start();
    CHECK(pair.caught_up(20s));

    REQUIRE(pair.daemon.replctl({"pause"}).exit_code == 0);
    REQUIRE(pair.daemon.wait_for_state("paused", 10s));
    pair.target.cluster->stop(StopMode::immediate);
    // The target cannot be told, but the operator has said it.
    CHECK(pair.daemon.replctl({"resume"}).exit_code == 0);
    CHECK(pair.daemon.wait_for_state("retrying", 10s));
    pair.target.cluster->start();
    CHECK(pair.caught_up(20s));
  }

  TEST_CASE("orders given while a pause is being stored on a target that hangs are kept") {
    Pair pair;
    pair.on_both("create table a (id int primary key)");
    REQUIRE(pair.begin());
    {
      const Deaf deaf(*pair.target.cluster);
      CHECK(pair.daemon.replctl({"pause"}).exit_code == 0);
      std::this_thread::sleep_for(1s);
      CHECK(pair.daemon.replctl({"resume"}).exit_code == 0);
    }
    pair.on_source("insert into a values (1)");
    REQUIRE(pair.caught_up(20s));
    std::future<Outcome> ended;
    {
      const Deaf deaf(*pair.target.cluster);
      CHECK(pair.daemon.replctl({"pause"}).exit_code == 0);
      std::this_thread::sleep_for(1s);
      ended = std::async(std::launch::async, [&] { return finalize(pair); });
      std::this_thread::sleep_for(1s);
    }
    REQUIRE(ended.wait_for(30s) == std::future_status::ready);
    const Outcome outcome = ended.get();
    CHECK_MESSAGE(outcome.exit_code == 0, outcome.err);
    CHECK_FALSE(guarded(pair));
  }

  TEST_CASE("finalize while the target is away gets an answer, and works once it is back") {
    Pair pair;
    pair.on_both("create table a (id int primary key)");
    REQUIRE(pair.begin());
    pair.target.cluster->stop(StopMode::immediate);
    CHECK(pair.daemon.replctl({"pause"}).exit_code == 0);
    const Outcome refused = finalize(pair);
    CHECK(refused.exit_code == 1);
    CHECK_FALSE(refused.err.empty());
    pair.target.cluster->start();
    CHECK(finalize(pair).exit_code == 0);
    CHECK_FALSE(guarded(pair));
  }
}
