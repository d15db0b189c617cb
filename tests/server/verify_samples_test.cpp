// What the daemon has copied of the sample databases is proven equal, table by table.
#include <doctest/doctest.h>

#include "server/verify_sides.h"
#include "support/sample_databases.h"

using namespace repld;
using namespace repld::testing;

namespace {

// Each table that is not equal; `tables` is how many there were.
std::string differences(const Pair& pair, int& tables, int64_t& rows) {
  std::string text;
  Snapshots snapshots(pair.source.remote_dsn, pair.target.remote_dsn);
  verify::Comparison comparison(snapshots.source(), snapshots.target());
  for (const auto& row :
       pair.on_source("select relname from pg_class where relnamespace = 'public'::regnamespace "
                      "and relkind in ('r', 'p') and not relispartition order by relname")) {
    const std::string name = row[0].c_str();
    const TableProof proof = comparison.compare(snapshots.table(name), {});
    text += proof.equal() ? "" : name + ": " + readable(proof) + "\n";
    rows += proof.rows;
    ++tables;
  }
  return text;
}

}  // namespace

TEST_SUITE("verify_samples") {
  TEST_CASE("the copied salon is equal, until a row of a partition is changed") {
    Pair pair;
    load_salon(pair.source.dsn, Load::tables_and_rows);
    load_salon(pair.target.dsn, Load::tables);
    REQUIRE(pair.begin());
    int tables = 0;
    int64_t rows = 0;
    CHECK(differences(pair, tables, rows) == "");
    CHECK(tables > 8);
    CHECK(rows > 1000);
    const auto first = pair.on_target("select min(id) from messages");
    pair.past_guard("update messages set body = body || ' ' where id = " +
                    std::string(first[0][0].c_str()));
    const std::string found = differences(pair, tables, rows);
    CAPTURE(found);
    CHECK(found.find("messages: ") == 0);
    CHECK(found.find(std::string("different ") + first[0][0].c_str()) != std::string::npos);
    CHECK(std::count(found.begin(), found.end(), ';') == 1);
  }

  TEST_CASE("the copied Pagila is equal") {
    const auto directory = pagila_directory();
    if (!directory) {
      MESSAGE("SKIPPED: the dump of Pagila is not there; set REPLD_TEST_DATA");
      return;
    }
    Pair pair;
    load_pagila(*directory, pair.source.dsn, Load::tables_and_rows);
    load_pagila(*directory, pair.target.dsn, Load::tables);
    REQUIRE(pair.begin());
    int tables = 0;
    int64_t rows = 0;
    CHECK(differences(pair, tables, rows) == "");
    CHECK(tables > 15);
    CHECK(rows > 40000);
  }
}
