#include "core/transaction.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "message_stream.h"

using namespace repld;
using namespace repld::testing;

TEST_CASE("a transaction leaves whole at its commit") {
  TransactionAssembler assembler(Lsn::invalid, kNoPartLimit);
  CHECK_FALSE(assembler.in_transaction());
  CHECK_FALSE(assembler.push(begin(0x100, 741)));
  CHECK(assembler.in_transaction());
  CHECK_FALSE(assembler.push(describe()));
  CHECK_FALSE(assembler.push(insert({text("1"), text("Ann")})));
  const std::optional<TransactionPart> part = assembler.push(commit(0x100, 0x130));
  CHECK_FALSE(assembler.in_transaction());
  REQUIRE(part);
  CHECK(part->xid == 741);
  CHECK(part->commit_lsn == Lsn{0x100});
  CHECK(part->end_lsn == Lsn{0x130});
  CHECK(part->commit_time_us == 1234);
  CHECK(part->first);
  CHECK(part->last);
  CHECK_FALSE(part->marker);
  REQUIRE(part->changes.size() == 1);
  CHECK(part->changes[0].kind == ChangeKind::insert);
  CHECK(part->changes[0].old_tuple == OldTuple::none);
  CHECK(part->changes[0].relation->name == "clients");
  CHECK(row_at(*part, part->changes[0].new_first) == "1|Ann");
}

TEST_CASE("changes keep their order, their kind and their rows") {
  const auto parts = assemble({
      begin(0x100),
      describe(),
      insert({text("1"), kNull}),
      update(OldKind::none, {}, {text("1"), kUnchanged}),
      update(OldKind::key, {text("1"), kNull}, {text("2"), text("")}),
      update(OldKind::full, {text("2"), text("")}, {text("2"), text("Bo")}),
      remove(OldKind::key, {text("2"), kNull}),
      remove(OldKind::full, {text("3"), text("Cy")}),
      commit(0x100, 0x130),
  });
  REQUIRE(parts.size() == 1);
  const TransactionPart& part = parts[0];
  struct Row {
    ChangeKind kind;
    OldTuple old_tuple;
    const char* old_row;  // null: none
    const char* new_row;
  };
  const Row rows[] = {
      {ChangeKind::insert, OldTuple::none, nullptr, "1|null"},
      {ChangeKind::update, OldTuple::none, nullptr, "1|unchanged"},
      {ChangeKind::update, OldTuple::key, "1|null", "2|"},
      {ChangeKind::update, OldTuple::full, "2|", "2|Bo"},
      {ChangeKind::remove, OldTuple::key, "2|null", nullptr},
      {ChangeKind::remove, OldTuple::full, "3|Cy", nullptr},
  };
  REQUIRE(part.changes.size() == std::size(rows));
  for (size_t i = 0; i < std::size(rows); ++i) {
    CAPTURE(i);
    const Change& change = part.changes[i];
    CHECK(change.kind == rows[i].kind);
    CHECK(change.old_tuple == rows[i].old_tuple);
    if (rows[i].old_row != nullptr) {
      CHECK(row_at(part, change.old_first) == rows[i].old_row);
    }
    if (rows[i].new_row != nullptr) {
      CHECK(row_at(part, change.new_first) == rows[i].new_row);
    }
  }
}

TEST_CASE("each text in the arena ends with a zero byte that its length leaves out") {
  const auto parts = assemble({begin(0x100), describe(), insert({text("12"), text("")}),
                               insert({text("3"), text("xyz")}), commit(0x100, 0x130)});
  REQUIRE(parts.size() == 1);
  const TransactionPart& part = parts[0];
  CHECK(part.arena == std::string("12\0\0"
                                  "3\0xyz\0",
                                  10));
  const std::vector<uint32_t> lengths = {2, 0, 1, 3};
  REQUIRE(part.values.size() == lengths.size());
  for (size_t i = 0; i < lengths.size(); ++i) {
    CHECK(part.values[i].length == lengths[i]);
    CHECK(std::string_view(part.text(part.values[i])).size() == lengths[i]);
  }
}

TEST_CASE("nothing of a part points into the message it came from") {
  TransactionAssembler assembler(Lsn::invalid, kNoPartLimit);
  assembler.push(begin(0x100));
  assembler.push(describe());
  std::string frame = "Ann";
  assembler.push(insert({text("1"), text(frame)}));
  frame.replace(0, 3, "###");
  const std::optional<TransactionPart> part = assembler.push(commit(0x100, 0x130));
  REQUIRE(part);
  CHECK(row_at(*part, 0) == "1|Ann");
}

TEST_CASE("a truncate keeps its relations and options, in order with the rows") {
  const auto parts =
      assemble({begin(0x100), describe(7), describe(8), describe(), insert({text("1"), kNull}),
                truncate({7, 8}, true, false), truncate({8}, false, true), commit(0x100, 0x130)});
  REQUIRE(parts.size() == 1);
  const TransactionPart& part = parts[0];
  REQUIRE(part.changes.size() == 3);
  REQUIRE(part.truncates.size() == 2);
  CHECK(part.changes[0].kind == ChangeKind::insert);
  CHECK(part.changes[1].kind == ChangeKind::truncate);
  CHECK(part.changes[1].relation == nullptr);
  CHECK(part.changes[1].truncate == 0);
  CHECK(part.changes[2].truncate == 1);
  REQUIRE(part.truncates[0].relations.size() == 2);
  CHECK(part.truncates[0].relations[0]->oid == 7);
  CHECK(part.truncates[0].relations[1]->oid == 8);
  CHECK(part.truncates[0].cascade);
  CHECK_FALSE(part.truncates[0].restart_identity);
  CHECK_FALSE(part.truncates[1].cascade);
  CHECK(part.truncates[1].restart_identity);
}

TEST_CASE("an empty transaction leaves too, because it carries a position") {
  const auto parts = assemble({begin(0x100), commit(0x100, 0x130)});
  REQUIRE(parts.size() == 1);
  CHECK(parts[0].first);
  CHECK(parts[0].last);
  CHECK(parts[0].end_lsn == Lsn{0x130});
  CHECK(parts[0].changes.empty());
}

TEST_CASE("changes before and after a new description have each their own shape") {
  Relation wider = std::get<Relation>(describe());
  wider.columns.push_back({"note", 25, -1, false});
  const auto parts = assemble({begin(0x100), describe(), insert({text("1"), kNull}), wider,
                               insert({text("2"), kNull, kNull}), commit(0x100, 0x130)});
  REQUIRE(parts.size() == 1);
  CHECK(parts[0].changes[0].relation->columns.size() == 2);
  CHECK(parts[0].changes[1].relation->columns.size() == 3);
}

TEST_CASE("an oversized transaction leaves in parts that together are the whole") {
  std::vector<pgoutput::Message> messages = {begin(0x100, 9), describe()};
  for (int i = 0; i < 200; ++i) {
    messages.push_back(insert({text("12345678901234567890"), text("abcdefghijklmnopqrstuvwxyz")}));
  }
  messages.push_back(commit(0x100, 0x130));
  constexpr size_t kPartBytesMax = 4096;
  const auto parts = assemble(messages, 0, kPartBytesMax);
  REQUIRE(parts.size() > 2);
  size_t changes = 0;
  for (size_t i = 0; i < parts.size(); ++i) {
    CAPTURE(i);
    const TransactionPart& part = parts[i];
    const bool last = i + 1 == parts.size();
    CHECK(part.first == (i == 0));
    CHECK(part.last == last);
    CHECK(part.end_lsn == (last ? Lsn{0x130} : Lsn::invalid));
    CHECK(part.xid == 9);
    CHECK(part.commit_lsn == Lsn{0x100});
    CHECK(part.commit_time_us == 1234);
    CHECK((last || part.bytes() >= kPartBytesMax));
    CHECK(part.bytes() < 2 * kPartBytesMax + 1024);
    changes += part.changes.size();
    for (const Change& change : part.changes) {
      CHECK(row_at(part, change.new_first) == "12345678901234567890|abcdefghijklmnopqrstuvwxyz");
    }
  }
  CHECK(changes == 200);
}

TEST_CASE("with the smallest bound every change is a part, and the commit an empty last one") {
  const auto parts = assemble(
      {begin(0x100), describe(), insert({text("1"), kNull}), truncate({kOid}, false, false),
       commit(0x100, 0x130), begin(0x200), commit(0x200, 0x230)},
      0, 1);
  REQUIRE(parts.size() == 4);
  CHECK((parts[0].first && !parts[0].last && parts[0].changes.size() == 1));
  CHECK((!parts[1].first && !parts[1].last && parts[1].truncates.size() == 1));
  CHECK((!parts[2].first && parts[2].last && parts[2].changes.empty()));
  CHECK((parts[3].first && parts[3].last));
}

TEST_CASE("the bytes of a part cover all that it holds") {
  const auto parts = assemble({begin(0x100), describe(), insert({text("1"), text("Ann")}),
                               truncate({kOid}, false, false), commit(0x100, 0x130)});
  REQUIRE(parts.size() == 1);
  CHECK(parts[0].bytes() >= 2 * sizeof(Change) + 2 * sizeof(Value) + sizeof(repld::Truncate) +
                                sizeof(RelationPtr) + parts[0].arena.size());
}

TEST_CASE("the last part is marked when the transaction carries a message of ours") {
  struct Row {
    const char* name;
    std::vector<pgoutput::Message> messages;
    bool marker;
  };
  const Row rows[] = {
      {"ours", {logical(true, "repld")}, true},
      {"ours, then another", {logical(true, "repld"), logical(true, "other")}, true},
      {"another's", {logical(true, "other")}, false},
      {"prefix of a prefix", {logical(true, "repl"), logical(true, "repld2")}, false},
      {"not transactional", {logical(false, "repld")}, false},
      {"none", {}, false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    std::vector<pgoutput::Message> messages = {begin(0x100)};
    messages.insert(messages.end(), row.messages.begin(), row.messages.end());
    messages.insert(messages.end(), {describe(), insert({text("1"), kNull}), commit(0x100, 0x130),
                                     begin(0x200), commit(0x200, 0x230)});
    const auto parts = assemble(messages, 0, 1);
    REQUIRE(parts.size() == 3);
    CHECK_FALSE(parts[0].marker);
    CHECK(parts[1].marker == row.marker);
    CHECK_FALSE(parts[2].marker);
  }
}

TEST_CASE("messages that change nothing are accepted in their places") {
  const auto parts =
      assemble({logical(false, "repld"), describe(), pgoutput::Type{1, "s", "t"}, begin(0x100),
                pgoutput::Origin{Lsn{1}, "o"}, pgoutput::Type{1, "s", "t"}, logical(false, "x"),
                insert({text("1"), kNull}), commit(0x100, 0x130)});
  REQUIRE(parts.size() == 1);
  CHECK(parts[0].changes.size() == 1);
}

TEST_CASE("changes of relations that are not wanted are dropped, and only those") {
  const uint32_t other = kOid + 1;
  int asked = 0;
  TransactionAssembler assembler(Lsn::invalid, kNoPartLimit,
                                 [&](const Relation& relation, uint32_t xid) {
                                   ++asked;
                                   CHECK(xid == 700);
                                   return relation.oid == kOid;
                                 });
  const auto push_all = [&](const std::vector<pgoutput::Message>& messages) {
    std::optional<TransactionPart> last;
    for (const pgoutput::Message& message : messages) {
      last = assembler.push(message);
    }
    return last;
  };
  auto part = push_all({begin(0x100), describe(), describe(other), insert({text("1"), kNull}),
                        insert({text("2"), kNull}, other), truncate({other}, false, false),
                        truncate({other, kOid}, false, false), commit(0x100, 0x130)});
  REQUIRE(part);
  REQUIRE(part->changes.size() == 2);
  CHECK(part->changes[0].kind == ChangeKind::insert);
  REQUIRE(part->truncates.size() == 1);
  CHECK(part->truncates[0].relations.size() == 1);
  CHECK(asked == 2);
  // A transaction of which nothing is left still moves the position.
  part = push_all({begin(0x200), insert({text("3"), kNull}, other), commit(0x200, 0x230)});
  REQUIRE(part);
  CHECK(part->changes.empty());
  CHECK(part->end_lsn == Lsn{0x230});
}
