#include "core/schema_compare.h"

#include <doctest/doctest.h>

#include <functional>

#include "sample_schema.h"

using namespace repld;
using namespace repld::schema;
using namespace repld::testing;

namespace {

Table& orders(Database& database) { return database.tables[1]; }

void drop_tables(Database& database) {
  database.tables.clear();
  database.functions.clear();
}

struct Difference {
  const char* name;
  std::function<void(Database& source, Database& target)> apart;
  Severity severity;
  const char* sql;
};
const Difference kDifferences[] = {
    {"column", [](Database&, Database& target) { orders(target).columns.pop_back(); },
     Severity::error,
     "alter table \"public\".\"orders\" add column \"note\" character varying(20) default "
     "'x'::character varying;"},
    {"type", [](Database&, Database& target) { orders(target).columns[1].type = "jsonb"; },
     Severity::error, "alter column \"note\" type character varying(20) using"},
    {"wider type", [](Database&, Database& target) { orders(target).columns[1].type = "text"; },
     Severity::warning, "alter column \"note\" type character varying(20) using"},
    {"stricter null",
     [](Database&, Database& target) { orders(target).columns[1].not_null = true; },
     Severity::error, "alter column \"note\" drop not null;"},
    {"laxer null", [](Database&, Database& target) { orders(target).columns[0].not_null = false; },
     Severity::warning, "alter column \"id\" set not null;"},
    {"default", [](Database&, Database& target) { orders(target).columns[1].expression.clear(); },
     Severity::warning, "alter column \"note\" set default 'x'::character varying;"},
    {"collation",
     [](Database& source, Database&) { orders(source).columns[1].collation = "pg_catalog.\"C\""; },
     Severity::warning, "type character varying(20) collate pg_catalog.\"C\";"},
    {"generated",
     [](Database& source, Database&) {
       orders(source).columns[1].generated = "s";
       orders(source).columns[1].expression = "'g'::text";
     },
     Severity::error, "generated always as ('g'::text) stored;"},
    {"identity",
     [](Database& source, Database&) {
       orders(source).columns[0].identity = "a";
       orders(source).columns[0].identity_options = "start with 1";
     },
     Severity::warning, "add generated always as identity (start with 1);"},
    {"primary key",
     [](Database&, Database& target) {
       orders(target).constraints.erase(orders(target).constraints.begin());
     },
     Severity::error, "add constraint \"orders_pkey\" PRIMARY KEY (id);"},
    {"other check",
     [](Database&, Database& target) { orders(target).constraints[1].definition = "CHECK (true)"; },
     Severity::warning,
     "drop constraint \"orders_note\";\nalter table \"public\".\"orders\" add constraint"},
    {"foreign key", [](Database&, Database& target) { orders(target).constraints.pop_back(); },
     Severity::warning, "add constraint \"orders_client\" FOREIGN KEY"},
    {"index", [](Database&, Database& target) { orders(target).indexes.clear(); },
     Severity::warning, "CREATE INDEX by_note ON public.orders"},
    {"trigger", [](Database&, Database& target) { orders(target).triggers.clear(); },
     Severity::warning, "CREATE TRIGGER touch"},
    {"trigger off", [](Database&, Database& target) { orders(target).triggers[0].enabled = false; },
     Severity::warning, "enable trigger \"touch\";"},
    {"policy", [](Database&, Database& target) { orders(target).policies.clear(); },
     Severity::warning, "create policy all_rows"},
    {"row security", [](Database&, Database& target) { orders(target).row_security = false; },
     Severity::warning, "enable row level security;"},
    {"owner", [](Database&, Database& target) { orders(target).owned = false; }, Severity::error,
     "grant \"us\" to \"us\" with inherit true;"},
    {"function", [](Database&, Database& target) { target.functions.clear(); }, Severity::warning,
     "CREATE FUNCTION public.touch()"},
    {"schema", [](Database&, Database& target) { target.namespaces.clear(); }, Severity::error,
     "create schema \"public\";"},
    {"extension",
     [](Database& source, Database& target) {
       source.requirements.push_back(
           {Requirement::Kind::type, "public", "citext", "citext", "public"});
       target.extensions = {{"citext", "", true}};
     },
     Severity::error, "create extension \"citext\" schema \"public\";"},
    {"extension not there",
     [](Database& source, Database&) {
       source.requirements.push_back(
           {Requirement::Kind::type, "public", "vector", "vector", "public"});
     },
     Severity::error, ""},
    {"enum label",
     [](Database& source, Database& target) {
       source.requirements.push_back({Requirement::Kind::type, "public", "mood", "", ""});
       source.types = {{{"public", "mood"}, 'e', "create type", {"a", "b'"}}};
       target.types = {{{"public", "mood"}, 'e', "create type", {"a"}}};
     },
     Severity::error, "alter type \"public\".\"mood\" add value 'b''' after 'a';"},
    {"sequence",
     [](Database& source, Database&) {
       source.sequences = {{{"public", "s"}, "as bigint", {}, "", true}};
     },
     Severity::warning, "create sequence \"public\".\"s\" as bigint;"},
};

}  // namespace

TEST_CASE("equal schemas have no difference and no DDL") {
  const std::vector<Change> changes = compare(sample_schema(), sample_schema());
  CHECK(changes.empty());
  CHECK(script_of(changes) == "");
}

TEST_CASE("each difference is one change with the statement that ends it") {
  for (const Difference& row : kDifferences) {
    const std::string name = row.name;
    CAPTURE(name);
    Database source = sample_schema();
    Database target = sample_schema();
    row.apart(source, target);
    const std::vector<Change> changes = compare(source, target);
    REQUIRE(changes.size() == 1);
    CHECK(changes[0].finding.severity == row.severity);
    CHECK(changes[0].finding.side == Side::target);
    CAPTURE(changes[0].finding.sql);
    const std::string& sql = changes[0].finding.sql;
    CHECK(sql.find(row.sql) != std::string::npos);
    // What changes something that is there says what that does to those who use it.
    if (sql.rfind("alter table", 0) == 0 || sql.rfind("drop", 0) == 0) {
      CHECK(changes[0].finding.effect != "");
    }
  }
}

TEST_CASE("who can alter a table is named: its owner while it is not ours") {
  Database target = sample_schema();
  orders(target).owned = false;
  orders(target).owner = "them";
  orders(target).owner_superuser = true;
  orders(target).indexes.clear();
  const std::vector<Change> changes = compare(sample_schema(), target);
  REQUIRE(changes.size() == 2);
  for (const Change& change : changes) {
    CHECK(change.finding.role == "them");
    CHECK(change.finding.effect != "");
  }
}

TEST_CASE("what a running link has set aside counts as there") {
  Database target = sample_schema();
  orders(target).constraints.pop_back();
  orders(target).triggers[0].enabled = false;
  target.set_aside = {{{"public", "orders"}, "orders_client"}, {{"public", "orders"}, "touch"}};
  CHECK(compare(sample_schema(), target).empty());
}

TEST_CASE("what would remove something of the target's is told but not in the script") {
  Database target = sample_schema();
  orders(target).constraints.push_back({"more", 'u', "UNIQUE (note)", {}});
  const std::vector<Change> changes = compare(sample_schema(), target);
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].finding.sql.find("drop constraint \"more\"") != std::string::npos);
  CHECK(script_of(changes) == "");
}

TEST_CASE("the script builds everything from nothing, in an order that works") {
  Database target = sample_schema();
  drop_tables(target);
  const std::string script = script_of(compare(sample_schema(), target));
  size_t last = 0;
  for (const char* part :
       {"begin;", "CREATE FUNCTION public.touch()", "create table \"public\".\"clients\"",
        "create table \"public\".\"orders\"", "add constraint \"clients_pkey\"",
        "add constraint \"orders_pkey\"", "CREATE INDEX by_note", "CREATE TRIGGER touch",
        "enable row level security", "create policy all_rows",
        "add constraint \"orders_client\" FOREIGN KEY", "commit;"}) {
    const std::string wanted = part;
    CAPTURE(wanted);
    const size_t at = script.find(wanted);
    REQUIRE(at != std::string::npos);
    CHECK(at >= last);
    last = at;
  }
}

TEST_CASE("partitions and children say only what differs from their parent") {
  Database source = sample_schema();
  Table& root = orders(source);
  root.partition_key = "LIST (id)";
  Table leaf = root;
  leaf.name = {"public", "leaf"};
  leaf.partition_key.clear();
  leaf.parent = root.name;
  leaf.bounds = "FOR VALUES IN (1)";
  leaf.constraints.clear();
  leaf.indexes.clear();
  leaf.triggers.clear();
  leaf.policies.clear();
  leaf.row_security = false;
  leaf.columns[1].expression = "'leaf'::text";
  source.tables.push_back(leaf);
  CHECK(text_of(create_table(source, leaf)) ==
        "create table \"public\".\"leaf\" partition of \"public\".\"orders\" FOR VALUES IN (1);\n"
        "alter table only \"public\".\"leaf\" alter column \"note\" set default 'leaf'::text;");
}
