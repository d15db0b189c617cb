#include "core/error.h"

#include <doctest/doctest.h>

using namespace repld;

TEST_CASE("each kind of error has its name, its reaction and its exit code") {
  struct Row {
    ErrorKind kind;
    const char* name;
    Reaction reaction;
    int exit_code;
  };
  const Row rows[] = {
      {ErrorKind::config, "config", Reaction::exit, 2},
      {ErrorKind::connect, "connect", Reaction::retry, 1},
      {ErrorKind::protocol, "protocol", Reaction::pause, 1},
      {ErrorKind::schema, "schema", Reaction::pause, 1},
      {ErrorKind::conflict, "conflict", Reaction::pause, 1},
      {ErrorKind::slot_lost, "slot_lost", Reaction::pause, 1},
      {ErrorKind::refused, "refused", Reaction::pause, 1},
      {ErrorKind::internal, "internal", Reaction::pause, 1},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    CHECK(std::string_view(to_string(row.kind)) == row.name);
    CHECK(reaction_to(row.kind) == row.reaction);
    CHECK(exit_code_of(row.kind) == row.exit_code);
  }
}

TEST_CASE("an error keeps what was said about it, also when thrown where it is made") {
  try {
    throw Error(ErrorKind::conflict, "the target refused a row")
        .detail("constraint {} of {} rows", "one_per_day", 3)
        .hint("Look at {}.", "the constraint")
        .sqlstate("23505")
        .table("public.bookings");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::conflict);
    CHECK(std::string_view(error.what()) == "the target refused a row");
    CHECK(error.detail() == "constraint one_per_day of 3 rows");
    CHECK(error.hint() == "Look at the constraint.");
    CHECK(error.sqlstate() == "23505");
    CHECK(error.table() == "public.bookings");
  }
}

TEST_CASE("what was not said about an error is empty") {
  const Error error(ErrorKind::connect, "gone");
  CHECK(error.detail().empty());
  CHECK(error.hint().empty());
  CHECK(error.sqlstate().empty());
  CHECK(error.table().empty());
}
