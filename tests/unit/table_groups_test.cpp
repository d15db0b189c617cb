#include "core/table_groups.h"

#include <doctest/doctest.h>

#include "sample_schema.h"

using namespace repld;
using namespace repld::testing;

TEST_CASE("foreign keys across groups are named, and what hangs together is found") {
  const schema::Database source = sample_schema();
  Config config;
  CHECK(crossing_foreign_keys(config, source).empty());
  config.groups = {{"clients", {"public.clients"}, Side::source}};
  const auto crossing = crossing_foreign_keys(config, source);
  REQUIRE(crossing.size() == 1);
  CHECK(crossing[0].what.find("orders_client leads from public.orders (group all)") !=
        std::string::npos);
  CHECK(closed_groups(source) ==
        std::vector<std::vector<std::string>>{{"public.clients", "public.orders"}});
}

TEST_CASE("a partition that a group names without its table is named") {
  schema::Database source = sample_schema();
  schema::Table leaf = source.tables[1];
  leaf.name.name = "orders_2026";
  source.tables.push_back(leaf);
  Config config;
  config.groups = {{"here", {"public.orders*"}, Side::target}};
  CHECK(divided_tables(config, source).empty());
  config.groups = {{"here", {"public.orders_*"}, Side::target}};
  const auto found = divided_tables(config, source);
  REQUIRE(found.size() == 1);
  CHECK(found[0].severity == Severity::warning);
  CHECK(
      found[0].what.find("names partition public.orders_2026, but public.orders is in group all") !=
      std::string::npos);
}

// public.orders references public.clients.
TEST_CASE("a foreign key over the border of what is replicated is named, whichever end is ours") {
  const schema::Database whole = sample_schema();
  schema::Database clients = whole;
  clients.tables = {whole.tables[0]};
  schema::Database orders = whole;
  orders.tables = {whole.tables[1]};
  schema::Database none = whole;
  none.tables.clear();
  CHECK(bordering_foreign_keys(whole, none).empty());
  CHECK(bordering_foreign_keys(none, whole).empty());

  for (const auto& [replicated, others] : {std::pair(&clients, &orders), {&orders, &clients}}) {
    const auto found = bordering_foreign_keys(*replicated, *others);
    REQUIRE(found.size() == 1);
    CHECK(found[0].severity == Severity::warning);
    CHECK(found[0].side == Side::target);
    CHECK(found[0].what.find("orders_client of public.orders, which references public.clients") !=
          std::string::npos);
  }

  orders.tables[0].owned = false;
  orders.tables[0].owner = "them";
  const auto theirs = bordering_foreign_keys(clients, orders);
  REQUIRE(theirs.size() == 1);
  CHECK(theirs[0].severity == Severity::error);
  CHECK(theirs[0].sql == "grant \"them\" to \"us\" with inherit true;");
  CHECK(theirs[0].role == "a superuser");

  orders.tables[0].owner_superuser = true;
  const auto kept = bordering_foreign_keys(clients, orders);
  CHECK(kept[0].sql == "alter table \"public\".\"orders\" owner to \"us\";");
  CHECK(kept[0].role == "them");
  CHECK(kept[0].effect != "");
}
