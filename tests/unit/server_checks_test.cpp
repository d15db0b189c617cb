#include "core/server_checks.h"

#include <doctest/doctest.h>

#include <functional>

#include "core/table_checks.h"
#include "sample_schema.h"

using namespace repld;
using namespace repld::testing;

namespace {

ServerFacts good_facts(Side side) {
  ServerFacts facts;
  facts.side = side;
  facts.endpoint = {"127.0.0.1", "5432", "us", "prefer"};
  facts.version = 170005;
  facts.version_text = "17.5";
  facts.role.name = "us";
  facts.role.replication = true;
  facts.superusers = {"admin"};
  facts.database = "db";
  facts.database_owner = "owner";
  facts.may_create_schemas = true;
  facts.encoding = "UTF8";
  facts.slot_name = "repld_main";
  facts.settings = {{"wal_level", {"logical", "", ""}},
                    {"max_replication_slots", {"5", "", ""}},
                    {"max_wal_senders", {"5", "", ""}},
                    {"max_connections", {"60", "", ""}},
                    {"max_slot_wal_keep_size", {"4096", "MB", ""}}};
  facts.trial.passed = true;
  return facts;
}

std::vector<Finding> problems_of(const std::vector<Finding>& findings) {
  std::vector<Finding> problems;
  for (const Finding& finding : findings) {
    if (finding.severity != Severity::ok) {
      problems.push_back(finding);
    }
  }
  return problems;
}

struct Fault {
  std::function<void(ServerFacts&)> apart;
  Severity severity;
  const char* check;
  const char* mends;  // part of the SQL or the action
  const char* role;
};
const Fault kFaults[] = {
    {[](ServerFacts& f) { f.version = 140000; }, Severity::error, "version", "Upgrade", ""},
    {[](ServerFacts& f) { f.version = 190000; }, Severity::warning, "version", "", ""},
    {[](ServerFacts& f) { f.settings["wal_level"].value = "replica"; }, Severity::error,
     "wal_level", "alter system set wal_level = 'logical';", "admin"},
    {[](ServerFacts& f) {
       f.role.replication = false;
       f.trial.passed = false;
     },
     Severity::error, "replication_role", "alter role \"us\" replication;", "admin"},
    {[](ServerFacts& f) {
       f.slots.assign(5, {"other", false, "db", "", 0});
       f.trial.passed = false;
     },
     Severity::error, "slots", "select pg_drop_replication_slot('other');", "us"},
    {[](ServerFacts& f) {
       f.senders = 5;
       f.trial.passed = false;
     },
     Severity::error, "senders", "max_wal_senders", ""},
    {[](ServerFacts& f) { f.connections = 58; }, Severity::error, "connections", "max_connections",
     ""},
    {[](ServerFacts& f) { f.connections = 43; }, Severity::warning, "connections", "", ""},
    {[](ServerFacts& f) { f.may_create_schemas = false; }, Severity::error, "database",
     "grant create on database \"db\" to \"us\";", "owner"},
    {[](ServerFacts& f) {
       f.in_recovery = true;
       f.trial.passed = false;
     },
     Severity::error, "read_only", "primary", ""},
    {[](ServerFacts& f) { f.read_only = true; }, Severity::error, "read_only",
     "default_transaction_read_only off", ""},
    {[](ServerFacts& f) {
       f.read_only = true;
       f.read_only_origins = {{"", "db"}};
     },
     Severity::error, "read_only", "alter database \"db\" reset", "owner"},
    {[](ServerFacts& f) { f.endpoint.host = "db.example.org"; }, Severity::warning, "tls",
     "verify-full", ""},
    {[](ServerFacts& f) {
       f.endpoint.host = "aws-0.pooler.supabase.com";
       f.endpoint.sslmode = "verify-full";
       f.tls = true;
     },
     Severity::error, "pooler", "own host", ""},
    {[](ServerFacts& f) {
       f.trial = {false, "", "no replication", "Name the own host."};
     },
     Severity::error, "replication_login", "own host", ""},
    {[](ServerFacts& f) {
       f.trial = {false, "28000", "no pg_hba.conf entry", ""};
     },
     Severity::error, "replication_login", "pg_hba.conf", ""},
    {[](ServerFacts& f) {
       f.transactions = {{7, "", "app", 90}};
     },
     Severity::warning, "transactions", "select pg_terminate_backend(7);", "app"},
    {[](ServerFacts& f) {
       f.trial = {false, "55P03", "", ""};
       f.transactions = {{0, "it's", "app", 9}};
     },
     Severity::error, "transactions", "rollback prepared 'it''s';", "app"},
    {[](ServerFacts& f) { f.settings["max_slot_wal_keep_size"].value = "512"; }, Severity::warning,
     "wal_keep", "max_slot_wal_keep_size = '4GB'", "admin"},
    {[](ServerFacts& f) {
       f.settings["idle_replication_slot_timeout"] = {"60", "s", ""};
     },
     Severity::warning, "slot_timeout", "idle_replication_slot_timeout = 0", "admin"},
    {[](ServerFacts& f) { f.large_objects = 3; }, Severity::warning, "large_objects", "", ""},
    {[](ServerFacts& f) {
       f.actors = {{"cron job", "nightly", "ID 7"}};
     },
     Severity::warning, "actors", "cron.alter_job(ID", ""},
    {[](ServerFacts& f) {
       f.actors = {{"unseen cron jobs", "", ""}};
     },
     Severity::warning, "actors", "from cron.job", ""},
    {[](ServerFacts& f) {
       f.actors = {{"network", "pg_net", ""}, {"webhook", "hook", "t"}};
     },
     Severity::warning, "actors", "make these calls", ""},
    {[](ServerFacts& f) {
       f.actors = {{"network", "pg_net", ""}};
     },
     Severity::warning, "actors", "net.http_", ""},
    {[](ServerFacts& f) {
       f.role.connection_limit = 12;
       f.role_connections = 2;
     },
     Severity::error, "role_connections", "alter role \"us\" connection limit 23;", "admin"},
    {[](ServerFacts& f) {
       f.database_connection_limit = 12;
       f.database_connections = 2;
     },
     Severity::error, "database_connections", "alter database \"db\" connection limit 23;",
     "owner"},
    {[](ServerFacts& f) {
       f.transactions = {{7, "", "app", 90}};
       f.may_signal = true;
     },
     Severity::warning, "transactions", "select pg_terminate_backend(7);", "us"},
    {[](ServerFacts& f) {
       f.transactions = {{7, "", "root", 90, true}};
       f.may_signal = true;
     },
     Severity::warning, "transactions", "select pg_terminate_backend(7);", "root"},
    {[](ServerFacts& f) {
       f.read_only = true;
       f.read_only_origins = {{"us", ""}, {"us", "db"}};
     },
     Severity::error, "read_only", "alter role \"us\" in database \"db\" reset", "us"},
    {[](ServerFacts& f) {
       f.read_only = true;
       f.read_only_origins = {{"us", ""}, {"", "db"}};
     },
     Severity::error, "read_only", "alter database \"db\" reset", "admin"},
    {[](ServerFacts& f) {
       f.read_only = true;
       f.read_only_origins = {{"", ""}};
     },
     Severity::error, "read_only", "alter role all reset", "admin"},
};

}  // namespace

TEST_CASE("a good server has nothing to mend") {
  CHECK(problems_of(check_source(good_facts(Side::source), 2)).empty());
  CHECK(problems_of(check_target(good_facts(Side::target), 2)).empty());
}

TEST_CASE("each fault of a source is one finding with what mends it") {
  for (const Fault& row : kFaults) {
    ServerFacts facts = good_facts(Side::source);
    row.apart(facts);
    const auto found = problems_of(check_source(facts, 2));
    const std::string check = row.check;
    CAPTURE(check);
    REQUIRE(found.size() == 1);
    CHECK(found[0].check == check);
    CHECK(found[0].severity == row.severity);
    CAPTURE(found[0].sql);
    CHECK((found[0].sql + found[0].action).find(row.mends) != std::string::npos);
    CHECK(found[0].role == row.role);
    const bool gives = found[0].sql.rfind("grant ", 0) == 0;
    CHECK(found[0].effect.empty() == (found[0].sql.empty() || gives));
  }
}

TEST_CASE("limits on connections bind no superuser, and pass when there is room") {
  ServerFacts facts = good_facts(Side::target);
  facts.role.connection_limit = 11;
  facts.database_connection_limit = 11;
  CHECK(problems_of(check_target(facts, 2)).empty());
  CHECK(problems_of(check_target(facts, 3)).size() == 2);
  facts.role.superuser = true;
  CHECK(problems_of(check_target(facts, 3)).empty());
}

TEST_CASE("what limits slots matters on the target only where the way back can be decoded") {
  ServerFacts facts = good_facts(Side::target);
  facts.settings["max_slot_wal_keep_size"].value = "512";
  facts.settings["idle_replication_slot_timeout"] = {"60", "s", ""};
  const auto found = problems_of(check_target(facts, 2));
  REQUIRE(found.size() == 2);
  CHECK(found[0].check == "wal_keep");
  CHECK(found[1].check == "slot_timeout");
  for (const Finding& finding : found) {
    CHECK(finding.why.find("the way back") != std::string::npos);
    CHECK(finding.role == "admin");
  }
  facts.role.replication = false;
  for (const Finding& finding : problems_of(check_target(facts, 2))) {
    CHECK(finding.check != "wal_keep");
    CHECK(finding.check != "slot_timeout");
  }
}

TEST_CASE("what keeps a target from being decoded is never an error, only the way back's trouble") {
  ServerFacts facts = good_facts(Side::target);
  facts.settings["wal_level"].value = "replica";
  facts.role.replication = false;
  facts.trial.passed = false;
  const auto found = problems_of(check_target(facts, 2));
  REQUIRE(found.size() == 3);
  for (const Finding& finding : found) {
    CHECK(finding.severity == Severity::warning);
  }
  CHECK(found[2].check == "way_back");
}

TEST_CASE("a target that lets us make a schema of its own but no publication has no way back") {
  ServerFacts facts = good_facts(Side::target);
  facts.may_create_schemas = false;
  facts.has_own_schema = true;
  const auto found = problems_of(check_target(facts, 2));
  REQUIRE(found.size() == 2);
  CHECK(found[0].check == "way_back_publication");
  CHECK(found[0].sql == "grant create on database \"db\" to \"us\";");
  CHECK(found[0].role == "owner");
  CHECK(found[1].check == "way_back");
}

TEST_CASE("the way back is said to be possible only where it was tried") {
  const auto say = [](const ServerFacts& facts) {
    Finding said;
    for (const Finding& finding : check_target(facts, 2)) {
      if (finding.check == "way_back") {
        said = finding;
      }
    }
    return said;
  };
  CHECK(say(good_facts(Side::target)).severity == Severity::ok);

  std::vector<ServerFacts> untried(3, good_facts(Side::target));
  untried[0].in_recovery = true;
  untried[0].trial = {};
  untried[1].trial = {false, "55P03", "lock timeout", ""};
  untried[1].transactions = {{7, "", "app", 9}};
  untried[2].trial = {false, "53400", "all replication slots are in use", ""};
  untried[2].slots = {{"repld_main", true, "db", "", 0}};
  for (const ServerFacts& facts : untried) {
    CHECK(say(facts).severity == Severity::warning);
    CHECK(say(facts).what == "whether the way back can be decoded could not be tried");
    CHECK(say(facts).action.find("doctor again") != std::string::npos);
  }
}

TEST_CASE("our own slot among those that take all is no obstacle") {
  ServerFacts facts = good_facts(Side::source);
  facts.slots.assign(4, {"other", false, "db", "", 0});
  facts.slots.push_back({"repld_main", true, "db", "", 0});
  facts.trial = {false, "53400", "all replication slots are in use", ""};
  CHECK(problems_of(check_source(facts, 2)).empty());
}

TEST_CASE("only an encoding that lacks characters is an error") {
  ServerFacts source = good_facts(Side::source);
  ServerFacts target = good_facts(Side::target);
  source.encoding = "LATIN1";
  CHECK(problems_of(check_locales(source, target)).empty());
  target.encoding = "SQL_ASCII";
  CHECK(problems_of(check_locales(source, target)).size() == 1);
  target = good_facts(Side::target);
  target.locale_provider = "i";
  CHECK(problems_of(check_locales(source, target))[0].severity == Severity::warning);
}

TEST_CASE("an index that the source lacks is measured, and refused when a row would not fit") {
  schema::Database target = sample_schema();
  CHECK(indexes_to_measure(sample_schema(), target).empty());
  target.tables[1].indexes[0].definition = "CREATE INDEX by_note ON t USING btree (id, note)";
  const auto list = indexes_to_measure(sample_schema(), target);
  REQUIRE(list.size() == 1);
  CHECK(list[0].columns == std::vector<std::string>{"note"});
  CHECK(check_index_rows(list[0], 2704).empty());
  CHECK(check_index_rows(list[0], 2705)[0].sql == "drop index \"public\".\"by_note\";");
  CHECK(check_index_rows(list[0], 2705)[0].role == "us");
}
