#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "core/transaction.h"
#include "message_stream.h"

using namespace repld;
using namespace repld::testing;

TEST_CASE("a description lasts over transactions, also one inside a dropped transaction") {
  const auto parts =
      assemble({begin(0x100), describe(), insert({text("1"), kNull}), commit(0x100, 0x130),
                begin(0x200), insert({text("2"), kNull}), commit(0x200, 0x230)},
               0x130);
  REQUIRE(parts.size() == 1);
  CHECK(parts[0].commit_lsn == Lsn{0x200});
  REQUIRE(parts[0].changes.size() == 1);
  CHECK(row_at(parts[0], 0) == "2|null");
}

TEST_CASE("transactions that end at or below the position to resume after are dropped") {
  struct Row {
    uint64_t resume_after;
    std::vector<uint64_t> ends;
  };
  const Row rows[] = {
      {0x0, {0x130, 0x260, 0x330}},
      {0x100, {0x130, 0x260, 0x330}},
      {0x130, {0x260, 0x330}},
      {0x150, {0x260, 0x330}},
      {0x260, {0x330}},
      {0x330, {}},
      {0x999, {}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.resume_after);
    const auto parts = assemble(
        {
            begin(0x100, 1),
            describe(),
            insert({text("1"), kNull}),
            commit(0x100, 0x130),
            begin(0x200, 2),
            truncate({kOid}, false, false),
            commit(0x200, 0x260),
            begin(0x300, 3),
            remove(OldKind::key, {text("1"), kNull}),
            commit(0x300, 0x330),
        },
        row.resume_after);
    std::vector<uint64_t> ends;
    for (const TransactionPart& part : parts) {
      ends.push_back(static_cast<uint64_t>(part.end_lsn));
      CHECK(part.changes.size() == 1);
    }
    CHECK(ends == row.ends);
  }
}

TEST_CASE("a transaction that starts where the dropped one ended is kept") {
  const auto parts = assemble({begin(0x130), commit(0x130, 0x160)}, 0x130);
  CHECK(parts.size() == 1);
}

TEST_CASE("a dropped transaction sends no part, however large it is") {
  const auto parts = assemble({begin(0x100), describe(), insert({text("1"), kNull}),
                               insert({text("2"), kNull}), commit(0x100, 0x130)},
                              0x130, 1);
  CHECK(parts.empty());
}

TEST_CASE("a dropped transaction is still open until its commit") {
  TransactionAssembler assembler(Lsn{0x130}, kNoPartLimit);
  assembler.push(begin(0x100));
  CHECK(assembler.in_transaction());
  assembler.push(commit(0x100, 0x130));
  CHECK_FALSE(assembler.in_transaction());
}

TEST_CASE("what does not fit the order of a stream is a protocol error") {
  struct Row {
    const char* name;
    std::vector<pgoutput::Message> messages;
  };
  const Row rows[] = {
      {"begin inside begin", {begin(0x100), begin(0x200)}},
      {"commit without begin", {commit(0x100, 0x130)}},
      {"second commit", {begin(0x100), commit(0x100, 0x130), commit(0x100, 0x130)}},
      {"commit of another record", {begin(0x100), commit(0x110, 0x130)}},
      {"commit that ends where it starts", {begin(0x100), commit(0x100, 0x100)}},
      {"insert outside", {describe(), insert({text("1"), kNull})}},
      {"update outside", {describe(), update(OldKind::none, {}, {text("1"), kNull})}},
      {"delete outside", {describe(), remove(OldKind::key, {text("1"), kNull})}},
      {"truncate outside", {describe(), truncate({kOid}, false, false)}},
      {"origin outside", {pgoutput::Origin{Lsn{1}, "o"}}},
      {"transactional message outside", {logical(true, "other")}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    CHECK(refused(row.messages));
  }
}

TEST_CASE("a row that does not fit its relation is a protocol error") {
  struct Row {
    const char* name;
    pgoutput::Message message;
  };
  const std::string_view with_zero("a\0b", 3);
  const Row rows[] = {
      {"unknown relation", insert({text("1"), kNull}, 1)},
      {"truncate of an unknown relation", truncate({kOid, 1}, false, false)},
      {"too few columns", insert({text("1")})},
      {"too many columns", insert({text("1"), kNull, kNull})},
      {"no columns", insert({})},
      {"too few old columns", remove(OldKind::key, {text("1")})},
      {"too few columns after an old row", update(OldKind::key, {text("1"), kNull}, {text("1")})},
      {"unchanged value in an insert", insert({text("1"), kUnchanged})},
      {"unchanged value in an old key",
       update(OldKind::key, {kUnchanged, kNull}, {text("1"), kNull})},
      {"unchanged value in a deleted row", remove(OldKind::full, {text("1"), kUnchanged})},
      {"zero byte in a new row", insert({text("1"), text(with_zero)})},
      {"zero byte in an old row", remove(OldKind::full, {text("1"), text(with_zero)})},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    CHECK(refused({begin(0x100), describe(), row.message}));
  }
  CHECK_FALSE(refused({begin(0x100), describe(), insert({text("1"), kNull})}));
}

TEST_CASE("a commit record that lies across the position to resume after is a protocol error") {
  CHECK(refused({begin(0x100), commit(0x100, 0x130)}, 0x110));
  CHECK(refused({begin(0x100), commit(0x100, 0x130)}, 0x12F));
  CHECK_FALSE(refused({begin(0x100), commit(0x100, 0x130)}, 0x130));
  CHECK_FALSE(refused({begin(0x100), commit(0x100, 0x130)}, 0x100));
}
