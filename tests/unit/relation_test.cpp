#include "core/relation.h"

#include <doctest/doctest.h>

#include <functional>

#include "core/error.h"

using namespace repld;

namespace {

Relation clients() {
  Relation relation;
  relation.oid = 16384;
  relation.schema = "public";
  relation.name = "clients";
  relation.columns = {{"id", 20, -1, true}, {"name", 1043, 44, false}};
  return relation;
}

}  // namespace

TEST_CASE("a relation that is described again is another object, though it is the same") {
  RelationCache cache;
  const RelationPtr first = cache.store(clients());
  CHECK(cache.find(16384) == first);
  const RelationPtr again = cache.store(clients());
  CHECK(again != first);
  CHECK(*again == *first);
  CHECK(cache.find(16384) == again);
}

TEST_CASE("any difference in shape makes a new object and leaves the old one as it was") {
  struct Row {
    const char* name;
    std::function<void(Relation&)> change;
  };
  const Row rows[] = {
      {"schema", [](Relation& r) { r.schema = "archive"; }},
      {"name", [](Relation& r) { r.name = "customers"; }},
      {"identity", [](Relation& r) { r.identity = ReplicaIdentity::full; }},
      {"column name", [](Relation& r) { r.columns[1].name = "title"; }},
      {"column type", [](Relation& r) { r.columns[1].type_oid = 25; }},
      {"type modifier", [](Relation& r) { r.columns[1].type_modifier = 84; }},
      {"key", [](Relation& r) { r.columns[1].key = true; }},
      {"column gone", [](Relation& r) { r.columns.pop_back(); }},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    RelationCache cache;
    const RelationPtr before = cache.store(clients());
    Relation changed = clients();
    row.change(changed);
    const RelationPtr after = cache.store(changed);
    CHECK(after != before);
    CHECK(*after == changed);
    CHECK(*before == clients());
    CHECK(cache.find(16384) == after);
  }
}

TEST_CASE("relations are told apart by oid") {
  RelationCache cache;
  Relation other = clients();
  other.oid = 16385;
  const RelationPtr first = cache.store(clients());
  const RelationPtr second = cache.store(other);
  CHECK(first != second);
  CHECK(cache.find(16384) == first);
  CHECK(cache.find(16385) == second);
}

TEST_CASE("a relation that was never described is a protocol error") {
  RelationCache cache;
  cache.store(clients());
  ErrorKind kind = ErrorKind::internal;
  try {
    cache.find(1);
  } catch (const Error& error) {
    kind = error.kind();
  }
  CHECK(kind == ErrorKind::protocol);
}
