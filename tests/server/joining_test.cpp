// Tables that join a link or leave it while it streams, because the configuration was read again.
#include <doctest/doctest.h>

#include <atomic>
#include <csignal>
#include <fstream>

#include "support/pair.h"

using namespace repld::testing;

namespace {

constexpr const char* kSchema =
    "create table a (id int primary key, body text); "
    "create table b (id int primary key, a_id int, n int, body text); "
    "create table p (id int, k int, primary key (id, k)) partition by list (k); "
    "create table p1 partition of p for values in (1); create table p2 partition of p default; "
    "create table k (n int)";

// A pair whose daemon replicates only table a.
PairOptions only_a() {
  PairOptions options;
  options.extra = "[tables]\ninclude = [\"public.a\"]\n";
  return options;
}

void fill(const Pair& pair) {
  pair.on_source(
      "alter table k replica identity full; "
      "insert into a select i, md5(i::text) from generate_series(1, 500) i; "
      "insert into b select i, i, 0, repeat(md5(i::text), 100) from generate_series(1, 500) i; "
      "insert into p select i, i % 3 from generate_series(1, 300) i; "
      "insert into k select i / 2 from generate_series(1, 100) i");
}

void rewrite(const Pair& pair, const std::string& include, const std::string& more = "") {
  std::string text = read_file(pair.daemon.config_path());
  const size_t begin = text.find("include = ");
  const size_t end = text.find('\n', begin);
  text.replace(begin, end - begin, "include = [" + include + "]" + more);
  std::ofstream(pair.daemon.config_path()) << text;
}

// The operator's way: edit the file, reload.
void reload(Pair& pair, const std::string& include, const std::string& more = "") {
  rewrite(pair, include, more);
  pair.daemon.signal(SIGHUP);
}

bool has_event(const Pair& pair, const std::string& text) {
  return eventually(std::chrono::seconds(60), [&] {
    return pair.daemon.replctl({"events"}).out.find(text) != std::string::npos;
  });
}

std::string state_of(const Pair& pair, const std::string& table) {
  const auto link = pair.link();
  for (const auto& shown : link["tables"]) {
    if (shown["name"] == table) {
      return shown["state"];
    }
  }
  return "";
}

constexpr const char* kAll = "\"public.*\"";

// Transactions over all four tables, a few at a time, until stopped.
class Writers {
 public:
  explicit Writers(const Pair& pair) {
    for (int number = 0; number < 3; ++number) {
      threads_.emplace_back([this, dsn = pair.source.dsn, number](const std::stop_token& stop) {
        pqxx::connection connection(dsn);
        for (int i = 0; !stop.stop_requested(); ++i) {
          write(connection, number, i);
          ++written_;
        }
      });
    }
  }
  void stop() { threads_.clear(); }
  int written() const { return written_; }

 private:
  static void write(pqxx::connection& connection, int number, int i) {
    const std::string id = std::to_string(1000 + number + 3 * i);
    // Rows of its own, so that no two wait for each other.
    const std::string old = std::to_string(1 + (21 * i + 3 * (i % 7) + number) % 498);
    const std::string seat = std::to_string(1 + (3 * i + number) % 300);
    pqxx::work work(connection);
    work.exec("insert into public.a values (" + id + ", 'w')");
    work.exec("insert into public.b values (" + id + ", " + id + ", 1, repeat('x', 9000))");
    work.exec("update public.b set n = n + 1 where id = " + old);
    work.exec("update public.p set k = k + 1 where id = " + seat);
    work.exec("insert into public.k values (" + id + ")");
    if (i % 4 == 0) {
      work.exec("delete from public.b where id = " + old);
    }
    if (i % 10 == 9) {
      work.abort();
    } else {
      work.commit();
    }
  }

  std::atomic<int> written_{0};
  std::vector<std::jthread> threads_;
};

}  // namespace

TEST_SUITE("joining") {
  TEST_CASE("tables join at a reload under writers, none of their rows is lost or doubled") {
    Pair pair(only_a());
    pair.on_both(kSchema);
    fill(pair);
    REQUIRE(pair.begin());
    CHECK(pair.count(pair.target.dsn, "b") == 0);
    Writers writers(pair);
    for (const char* include :
         {"\"public.a\", \"public.b\"", "\"public.a\", \"public.b\", \"public.p\"", kAll}) {
      const int before = writers.written();
      REQUIRE(eventually(30s, [&] { return writers.written() > before + 30; }));
      reload(pair, include);
      REQUIRE(pair.daemon.wait_for("copied", 60s));
    }
    const int before = writers.written();
    REQUIRE(eventually(30s, [&] { return writers.written() > before + 30; }));
    writers.stop();
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.a", "public.b", "public.p", "public.k"}) == "");
    const auto link = pair.link();
    CHECK(link["tables"].size() == 4);
    for (const auto& table : link["tables"]) {
      CHECK(table["missing_rows"] == 0);
      CHECK(table["unexpected_rows"] == 0);
    }
    CHECK(sqlstate_of(pair.target.dsn, "insert into k values (1)") == "25006");
  }

  TEST_CASE("a transaction that is older than the joining is waited for") {
    Pair pair(only_a());
    pair.on_both(kSchema);
    fill(pair);
    REQUIRE(pair.begin());
    pqxx::connection connection(pair.source.dsn);
    pqxx::work old(connection);
    old.exec("insert into public.b values (9001, 1, 1, 'before')");
    reload(pair, kAll);
    REQUIRE(has_event(pair, "waiting"));
    old.exec("insert into public.b values (9002, 1, 1, 'after')");
    pair.on_source("insert into b values (9003, 1, 1, 'beside')");
    CHECK(state_of(pair, "b") != "copied");
    // The link goes on meanwhile.
    pair.on_source("insert into a values (9003, 'beside')");
    CHECK(eventually(30s, [&] { return pair.count(pair.target.dsn, "a where id = 9003") == 1; }));
    old.commit();
    pair.on_source("insert into b values (9004, 1, 1, 'later')");
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.a", "public.b", "public.p", "public.k"}) == "");
  }

  TEST_CASE("kill -9 at any step of joining and leaving; the next start makes it whole") {
    Pair pair(only_a());
    pair.on_both(kSchema);
    fill(pair);
    REQUIRE(pair.begin());
    pair.daemon.terminate();
    rewrite(pair, kAll);
    int write = 0;
    const auto die_at = [&](const char* point) {
      CAPTURE(point);
      pair.daemon.start(std::string(point) + "=kill");
      REQUIRE(pair.daemon.wait_for_death() == 128 + SIGKILL);
      const std::string id = std::to_string(10000 + ++write);
      pair.on_source("insert into a values (" + id + ", 'w'); insert into b values (" + id +
                     ", 1, 1, 'w'); insert into k values (" + id + ")");
    };
    for (const char* point : {"join.after_guard", "join.after_publication", "fence.after_snapshot",
                              "copy.after_chunk", "join.before_done"}) {
      die_at(point);
    }
    REQUIRE(pair.begin());
    CHECK(pair.difference({"public.a", "public.b", "public.p", "public.k"}) == "");
    pair.daemon.terminate();
    rewrite(pair, "\"public.a\"");
    die_at("leave.after_mark");
    die_at("leave.after_publication");
    REQUIRE(pair.begin());
    REQUIRE(has_event(pair, "table public.b is no longer replicated"));
    CHECK(pair.difference({"public.a"}) == "");
    CHECK(pair.count(pair.target.dsn, "b") < pair.count(pair.source.dsn, "b"));
    CHECK(pair.count(pair.target.dsn, "repld.table_state") == 1);
  }

  TEST_CASE("a table that leaves is the application's again, and may come back") {
    PairOptions options;
    options.extra = "[tables]\ninclude = [\"public.*\"]\n";
    Pair pair(options);
    pair.on_both(kSchema);
    pair.on_target(
        "alter table b add constraint to_a foreign key (a_id) references a; "
        "create table own (p_id int, p_k int, foreign key (p_id, p_k) references p on delete "
        "cascade); "
        "create function touch() returns trigger language plpgsql as $$ begin return new; end $$; "
        "create trigger touch before update on b for each row execute function touch(); "
        "create trigger touch before update on a for each row execute function touch()");
    fill(pair);
    REQUIRE(pair.begin());
    Writers writers(pair);
    reload(pair, "\"public.a\"");
    REQUIRE(has_event(pair, "table public.b is no longer replicated"));
    writers.stop();
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.a"}) == "");
    const int64_t rows = pair.count(pair.target.dsn, "b");
    pair.on_source("insert into b values (70001, 1, 1, 'w')");
    REQUIRE(pair.caught_up());
    CHECK(pair.count(pair.target.dsn, "b") == rows);
    // Guard and trigger of b are as before, those of a stay aside; a key to a table that stays too.
    pair.on_target("insert into b values (80001, 1, 1, 'own')");
    CHECK(sqlstate_of(pair.target.dsn, "insert into a values (80001, 'own')") == "25006");
    const std::string enabled =
        "pg_trigger where tgname = 'touch' and tgenabled = 'O' and tgrelid = ";
    CHECK(pair.count(pair.target.dsn, enabled + "'b'::regclass") == 1);
    CHECK(pair.count(pair.target.dsn, enabled + "'a'::regclass") == 0);
    CHECK(pair.count(pair.target.dsn, "pg_constraint where conname = 'to_a'") == 0);
    // One between tables that have left, or were never of the link, is back.
    CHECK(pair.count(pair.target.dsn,
                     "pg_constraint where conrelid = 'own'::regclass and contype = 'f' "
                     "and conparentid = 0") == 1);
    CHECK(pair.count(pair.source.dsn, "pg_publication_tables where pubname = 'repld_pair'") == 1);
    // It is not empty: held back, and the link goes on. Then it joins anew.
    reload(pair, kAll);
    REQUIRE(has_event(pair, "tables of the target are not empty"));
    CHECK(eventually(30s, [&] { return state_of(pair, "b") == "refused"; }));
    pair.on_target("truncate own, b, p, k");
    for (const char* table : {"b", "p", "k"}) {
      REQUIRE(eventually(60s, [&] { return state_of(pair, table) == "copied"; }));
    }
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.a", "public.b", "public.p", "public.k"}) == "");
    const Outcome finalized = pair.daemon.replctl({"finalize", "--yes"});
    CHECK_MESSAGE(finalized.exit_code == 0, finalized.err);
    CHECK(pair.count(pair.target.dsn, "pg_constraint where conname = 'to_a'") == 1);
  }

  TEST_CASE("a slip in the patterns gives no table up") {
    Pair pair(only_a());
    pair.on_both(kSchema);
    fill(pair);
    REQUIRE(pair.begin());
    reload(pair, "\"publik.*\"");
    REQUIRE(has_event(pair, "no table of the link matches"));
    CHECK(sqlstate_of(pair.target.dsn, "insert into a values (9001, 'own')") == "25006");
    pair.on_source("insert into a values (9002, 'w')");
    reload(pair, "\"public.a\"");
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.a"}) == "");
  }

  TEST_CASE("a parent by inheritance leaves alone, its children stay") {
    PairOptions options;
    options.extra = "[tables]\ninclude = [\"public.*\"]\n";
    Pair pair(options);
    pair.on_both(
        "create table parent (id int primary key); "
        "create table child (id int primary key, n int) inherits (parent)");
    pair.on_source("insert into parent values (1); insert into child values (2, 2)");
    REQUIRE(pair.begin());
    reload(pair, "\"public.child\"");
    REQUIRE(has_event(pair, "table public.parent is no longer replicated"));
    pair.on_source("insert into child values (3, 3); insert into parent values (4)");
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.child"}) == "");
    CHECK(pair.count(pair.target.dsn, "only parent") == 1);
    // Once more with a new session, which compares the publication with what it should be.
    pair.daemon.terminate();
    REQUIRE(pair.begin());
  }

  TEST_CASE("a table that does not fit is held back by name, and joins once it does") {
    Pair pair(only_a());
    pair.on_source(kSchema);
    pair.on_target("create table a (id int primary key, body text)");
    fill(pair);
    REQUIRE(pair.begin());
    reload(pair, "\"public.a\", \"public.b\"");
    REQUIRE(has_event(pair, "table public.b"));
    CHECK(eventually(30s, [&] { return state_of(pair, "b") == "refused"; }));
    pair.on_source("insert into a values (9001, 'beside')");
    CHECK(eventually(30s, [&] { return pair.count(pair.target.dsn, "a where id = 9001") == 1; }));
    pair.on_target("create table b (id int primary key, a_id int, n int, body text)");
    REQUIRE(eventually(60s, [&] { return state_of(pair, "b") == "copied"; }));
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.a", "public.b"}) == "");
  }

  TEST_CASE("a configuration with a mistake changes nothing; what needs a restart is told") {
    Pair pair(only_a());
    pair.on_both(kSchema);
    fill(pair);
    REQUIRE(pair.begin());
    reload(pair, "\"public.a\", 5");
    // replctl reads the same file.
    REQUIRE(pair.daemon.wait_log("the configuration is left as it was", 30s));
    reload(pair, "\"public.a\"", "\n[cutover]\nmax_freeze = \"2s\"");
    REQUIRE(has_event(pair, "reloaded"));
    std::string text = read_file(pair.daemon.config_path());
    const size_t at = text.find("name = \"pair\"");
    text.replace(at, 13, "name = \"other\"");
    std::ofstream(pair.daemon.config_path()) << text;
    pair.daemon.signal(SIGHUP);
    REQUIRE(has_event(pair, "what changed in [link] needs a restart"));
    pair.on_source("insert into a values (9001, 'still')");
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.a"}) == "");
    CHECK(pair.link()["name"] == "pair");
  }
}
