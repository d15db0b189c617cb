#include <doctest/doctest.h>

#include "message_stream.h"

using namespace repld;
using namespace repld::testing;

namespace {

std::vector<TransactionPart> heard(const std::vector<pgoutput::Message>& messages,
                                   size_t part_bytes_max = kNoPartLimit, uint64_t after = 0) {
  TransactionAssembler assembler(Lsn{after}, part_bytes_max, {}, "app");
  std::vector<TransactionPart> parts;
  for (const pgoutput::Message& message : messages) {
    if (auto part = assembler.push(message)) {
      parts.push_back(std::move(*part));
    }
  }
  CHECK_FALSE(assembler.in_transaction());
  return parts;
}

}  // namespace

TEST_SUITE("transaction_echo") {
  TEST_CASE("what the other direction applied never leaves, not even empty") {
    CHECK(heard({begin(0x100), logical(true, "repld", "app"), describe(),
                 insert({text("1"), kNull}), truncate({kOid}, false, false), commit(0x100, 0x130)})
              .empty());
    CHECK(heard({begin(0x100), logical(true, "repld", "app"), commit(0x100, 0x130)}).empty());
  }

  TEST_CASE("however large it is, nothing of it leaves") {
    CHECK(
        heard({begin(0x100), logical(true, "repld", "app"), describe(), insert({text("1"), kNull}),
               insert({text("2"), kNull}), insert({text("3"), kNull}), commit(0x100, 0x130)},
              1)
            .empty());
  }

  TEST_CASE("another mark, and one that comes behind a change, leave it what it is") {
    const auto marked = heard(
        {begin(0x100), logical(true, "repld", "other"), describe(), insert({text("1"), kNull}),
         commit(0x100, 0x130), begin(0x200), logical(true, "app", "app"),
         insert({text("2"), kNull}), commit(0x200, 0x230), begin(0x300), insert({text("3"), kNull}),
         logical(true, "repld", "app"), insert({text("4"), kNull}), commit(0x300, 0x330)});
    REQUIRE(marked.size() == 3);
    CHECK(marked[0].changes.size() == 1);
    CHECK(marked[1].changes.size() == 1);
    CHECK(marked[2].changes.size() == 2);
  }

  TEST_CASE("an echo says nothing about the transaction after it") {
    const auto parts =
        heard({begin(0x100), logical(true, "repld", "app"), commit(0x100, 0x130), begin(0x200),
               describe(), insert({text("2"), kNull}), commit(0x200, 0x230)});
    REQUIRE(parts.size() == 1);
    CHECK(parts[0].changes.size() == 1);
    CHECK(parts[0].end_lsn == Lsn{0x230});
  }

  TEST_CASE("an echo that moves a group leaves with that alone, and the next one without it") {
    const auto parts =
        heard({begin(0x100), logical(true, "repld", "app"), describe(), insert({text("1"), kNull}),
               logical(true, "repld.route", "app:1:all"), commit(0x100, 0x130), begin(0x200),
               insert({text("2"), kNull}), commit(0x200, 0x230)});
    REQUIRE(parts.size() == 2);
    CHECK(parts[0].changes.empty());
    CHECK(parts[0].announcements.size() == 1);
    CHECK(parts[0].end_lsn == Lsn{0x130});
    CHECK(parts[1].changes.size() == 1);
    CHECK(parts[1].announcements.empty());
  }

  TEST_CASE("a move is announced with its transaction, and not again when that was passed") {
    const std::vector<pgoutput::Message> stream = {
        begin(0x100), logical(true, "repld.route", "app:1:all"), commit(0x100, 0x130)};
    const auto parts = heard(stream);
    REQUIRE(parts.size() == 1);
    CHECK(parts[0].announcements == std::vector<std::string>{"app:1:all"});
    CHECK(parts[0].commit_lsn == Lsn{0x100});
    CHECK(heard(stream, kNoPartLimit, 0x130).empty());
  }
}
