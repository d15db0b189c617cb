// Tables that do not fit, and targets that do not take what they should: told with the table, and
// gone on from when mended.
#include <doctest/doctest.h>
#include <sys/mount.h>
#include <unistd.h>

#include "server/bad_input.h"
#include "support/server_user.h"

using namespace repld::testing;

namespace {

// A small disk. Needs root: as anyone else there is none, which fails the case that wants it.
class SmallDisk {
 public:
  explicit SmallDisk(const std::string& path) : path_(path) {
    must_run({"mkdir", path});
    mounted_ = ::mount("tmpfs", path.c_str(), "tmpfs", 0, "size=2m,mode=0777") == 0;
    hand_over(path);
  }
  ~SmallDisk() {
    if (mounted_) {
      ::umount2(path_.c_str(), MNT_DETACH);
    }
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  bool mounted() const { return mounted_; }
  void grow() const { ::mount("tmpfs", path_.c_str(), "tmpfs", MS_REMOUNT, "size=64m,mode=0777"); }

 private:
  const std::string path_;
  bool mounted_ = false;
};

struct Mistake {
  std::string name;
  std::string on_source;
  std::string on_target;
  std::string change;  // on the source, once both are set up
  std::vector<std::string> told;
  std::string mend;  // on the target
};

// Each begins with both tables empty, so that the copy passes and the stream meets the mistake.
std::vector<Mistake> mistakes() {
  return {
      {"table missing on the target",
       "create table t (id int primary key)",
       "",
       "",
       {"public.t", "missing", "replctl resume"},
       "create table t (id int primary key)"},
      {"column missing on the target",
       "create table t (id int primary key, \"Odd name\" text)",
       "create table t (id int primary key)",
       "",
       {"Odd name", "public.t", "replctl resume"},
       "alter table t add \"Odd name\" text"},
      {"type that does not take the values",
       "create table t (id int primary key, v text)",
       "create type mood as enum ('calm'); create table t (id int primary key, v mood)",
       "insert into t values (1, 'canary-value')",
       {"public.t", "22P02", "replctl resume"},
       "alter table t alter v type text"},
      {"no unique key that fits",
       "create table t (id int primary key)",
       "create table t (id int)",
       "insert into t values (1)",
       {"public.t", "no unique index", "identity columns: id", "replctl resume"},
       "alter table t add primary key (id)"},
      {"value that a constraint refuses",
       "create table t (id int primary key, v text)",
       "create table t (id int primary key, v text, constraint short check (length(v) < 5))",
       "insert into t values (1, 'canary-value')",
       {"public.t", "23514", "short", "replctl resume"},
       "alter table t drop constraint short"},
  };
}

}  // namespace

TEST_SUITE("bad_input") {
  TEST_CASE("a table that does not fit stops its link with its name, and goes on when mended") {
    for (const Mistake& mistake : mistakes()) {
      CAPTURE(mistake.name);
      Pair pair;
      pair.on_source(mistake.on_source);
      if (!mistake.on_target.empty()) {
        pair.on_target(mistake.on_target);
      }
      pair.daemon.start();
      if (!mistake.change.empty()) {
        REQUIRE(pair.caught_up());
        pair.on_source(mistake.change);
      }
      const nlohmann::json error = told(pair.daemon, mistake.told.back());
      const std::string all = error.dump();
      for (const std::string& part : mistake.told) {
        CHECK_MESSAGE(all.find(part) != std::string::npos, part << " in: " << all);
      }
      CHECK(error["table"] == "public.t");
      CHECK(error["state"] == "paused");
      CHECK((pair.daemon.log_text() + pair.daemon.status_json()).find("canary") ==
            std::string::npos);
      pair.on_target(mistake.mend);
      REQUIRE(pair.daemon.replctl({"resume"}).exit_code == 0);
      REQUIRE_MESSAGE(pair.caught_up(), pair.daemon.log_text());
      CHECK(pair.difference({"public.t"}) == "");
    }
  }

  TEST_CASE("a table that is not ours is named, on either side, before anything is made") {
    for (const bool on_source : {true, false}) {
      CAPTURE(on_source);
      Pair pair;
      pair.on_both("create table t (id int primary key); create table u (id int primary key)");
      const Platform& platform = on_source ? pair.source : pair.target;
      as_admin(platform,
               "create role other; alter table u owner to other; "
               "grant all on u to " +
                   platform.user);
      pair.daemon.start();
      const nlohmann::json error = told(
          pair.daemon, on_source ? "source's user does not own" : "target's user does not own");
      CHECK_MESSAGE(error["table"] == "public.u", error["text"]);
      CHECK_MESSAGE(has(error, "tables.exclude"), error["text"]);
      CHECK(pair.count(pair.source.dsn, "pg_publication where pubname = 'repld_pair'") == 0);
      as_admin(platform, "alter table u owner to " + platform.user);
      REQUIRE(pair.daemon.replctl({"resume"}).exit_code == 0);
      CHECK(pair.caught_up());
    }
  }

  TEST_CASE("a target that is read-only from the start is waited for") {
    Pair pair;
    pair.on_both("create table t (id int primary key)");
    pair.on_source("insert into t values (1)");
    as_admin(pair.target, "alter database default_db set default_transaction_read_only = on");
    pair.daemon.start();
    const nlohmann::json error = told(pair.daemon, "takes no writes now");
    CHECK_MESSAGE(error["sqlstate"] == "25006", error["text"]);
    CHECK(error["state"] == "retrying");
    as_admin(pair.target,
             "begin read write; alter database default_db reset default_transaction_read_only; "
             "commit");
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.t"}) == "");
  }

  TEST_CASE("a target that may not create schema repld is told which right is missing") {
    Pair pair;
    pair.on_both("create table t (id int primary key)");
    as_admin(pair.target,
             "alter database default_db owner to platform_admin; "
             "grant connect on database default_db to gen_user");
    pair.daemon.start();
    const nlohmann::json error = told(pair.daemon, "GRANT CREATE ON DATABASE");
    CHECK_MESSAGE(error["sqlstate"] == "42501", error["text"]);
    as_admin(pair.target, "grant create on database default_db to gen_user");
    REQUIRE(pair.daemon.replctl({"resume"}).exit_code == 0);
    CHECK(pair.caught_up());
  }

  TEST_CASE("a full disk of the target is told and waited out") {
    REQUIRE_MESSAGE(::getuid() == 0, "a small disk needs a mount, which needs root");
    Pair pair;
    const SmallDisk disk(pair.target.cluster->directory() + "/small");
    REQUIRE(disk.mounted());
    {
      // By itself: not within the transaction that several statements would be.
      pqxx::connection admin(pair.target.superuser_dsn);
      pqxx::nontransaction(admin).exec("create tablespace small location '" +
                                       pair.target.cluster->directory() + "/small'");
    }
    as_admin(pair.target, "grant create on tablespace small to gen_user");
    pair.on_source("create table t (id int primary key, v text)");
    pair.on_target("create table t (id int primary key, v text) tablespace small");
    REQUIRE(pair.begin());
    pair.on_source("insert into t select i, repeat('x', 900) from generate_series(1, 5000) i");
    const nlohmann::json error = told(pair.daemon, "disk of this server is full");
    CHECK_MESSAGE(error["sqlstate"] == "53100", error["text"]);
    CHECK(error["state"] == "retrying");
    CHECK(pair.count(pair.target.dsn, "t") == 0);
    disk.grow();
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.t"}) == "");
  }
}
