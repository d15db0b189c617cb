#include "core/pgoutput.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "core/error.h"
#include "wire_bytes.h"

using namespace repld;
using namespace repld::pgoutput;
using repld::testing::ExactBytes;
using repld::testing::WireBytes;

namespace {

struct Example {
  const char* name;
  std::string bytes;
};

// One of every message in every form that the grammar allows.
std::vector<Example> examples() {
  return {
      {"begin", WireBytes().tag('B').int64(0x1000).int64(-7).int32(742).str()},
      {"commit", WireBytes().tag('C').int8(0).int64(0x1000).int64(0x1030).int64(-7).str()},
      {"origin", WireBytes().tag('O').int64(0x2000).string("elsewhere").str()},
      {"relation", WireBytes()
                       .tag('R')
                       .int32(16384)
                       .string("public")
                       .string("clients")
                       .tag('d')
                       .int16(2)
                       .int8(1)
                       .string("id")
                       .int32(20)
                       .int32(-1)
                       .int8(0)
                       .string("name")
                       .int32(1043)
                       .int32(44)
                       .str()},
      {"relation without columns",
       WireBytes().tag('R').int32(-1).string("").string("t").tag('n').int16(0).str()},
      {"type", WireBytes().tag('Y').int32(16500).string("public").string("mood").str()},
      {"built-in type", WireBytes().tag('Y').int32(25).string("").string("text").str()},
      {"insert", WireBytes().tag('I').int32(16384).tag('N').int16(2).text("1").null().str()},
      {"insert of no columns", WireBytes().tag('I').int32(16384).tag('N').int16(0).str()},
      {"update", WireBytes().tag('U').int32(16384).tag('N').int16(2).text("1").unchanged().str()},
      {"update of the key", WireBytes()
                                .tag('U')
                                .int32(16384)
                                .tag('K')
                                .int16(2)
                                .text("1")
                                .null()
                                .tag('N')
                                .int16(2)
                                .text("2")
                                .text("")
                                .str()},
      {"update with the full old row", WireBytes()
                                           .tag('U')
                                           .int32(16384)
                                           .tag('O')
                                           .int16(1)
                                           .text("a")
                                           .tag('N')
                                           .int16(1)
                                           .text("b")
                                           .str()},
      {"delete by key", WireBytes().tag('D').int32(16384).tag('K').int16(2).text("1").null().str()},
      {"delete by row", WireBytes().tag('D').int32(16384).tag('O').int16(1).null().str()},
      {"truncate", WireBytes().tag('T').int32(2).int8(3).int32(16384).int32(16390).str()},
      {"message",
       WireBytes().tag('M').int8(1).int64(0x3000).string("repld").int32(3).raw({"a\0b", 3}).str()},
  };
}

std::string example(std::string_view name) {
  for (const Example& candidate : examples()) {
    if (candidate.name == name) {
      return candidate.bytes;
    }
  }
  FAIL("no such example");
  return {};
}

enum class Outcome { decoded, refused, other };

Outcome outcome_of(std::string_view bytes) {
  const ExactBytes exact(bytes);
  try {
    decode(exact.view());
    return Outcome::decoded;
  } catch (const Error& error) {
    return error.kind() == ErrorKind::protocol ? Outcome::refused : Outcome::other;
  } catch (...) {
    return Outcome::other;
  }
}

// Columns in short: null, unchanged, =text.
std::vector<std::string> shown(const Tuple& tuple) {
  std::vector<std::string> columns;
  for (const Column& column : tuple) {
    switch (column.kind) {
      case Value::Kind::null: columns.emplace_back("null"); break;
      case Value::Kind::unchanged: columns.emplace_back("unchanged"); break;
      case Value::Kind::text: columns.push_back("=" + std::string(column.text)); break;
    }
  }
  return columns;
}

using Columns = std::vector<std::string>;

}  // namespace

TEST_CASE("begin and commit carry positions, time and xid") {
  const std::string begin_bytes = example("begin");
  const auto begin = std::get<Begin>(decode(begin_bytes));
  CHECK(begin.final_lsn == Lsn{0x1000});
  CHECK(begin.commit_time_us == -7);
  CHECK(begin.xid == 742);
  const std::string commit_bytes = example("commit");
  const auto commit = std::get<Commit>(decode(commit_bytes));
  CHECK(commit.commit_lsn == Lsn{0x1000});
  CHECK(commit.end_lsn == Lsn{0x1030});
  CHECK(commit.commit_time_us == -7);
}

TEST_CASE("an xid above the signed range is read as it is") {
  const std::string bytes = WireBytes().tag('B').int64(1).int64(1).int32(-2).str();
  CHECK(std::get<Begin>(decode(bytes)).xid == 0xFFFFFFFEU);
}

TEST_CASE("an origin has a position and a name") {
  const std::string bytes = example("origin");
  const auto origin = std::get<Origin>(decode(bytes));
  CHECK(origin.commit_lsn == Lsn{0x2000});
  CHECK(origin.name == "elsewhere");
}

TEST_CASE("a relation has its name, replica identity and columns") {
  const auto relation = std::get<Relation>(decode(example("relation")));
  Relation expected;
  expected.oid = 16384;
  expected.schema = "public";
  expected.name = "clients";
  expected.identity = ReplicaIdentity::by_default;
  expected.columns = {{"id", 20, -1, true}, {"name", 1043, 44, false}};
  CHECK(relation == expected);
}

TEST_CASE("every replica identity is read") {
  for (const char identity : {'d', 'n', 'f', 'i'}) {
    CAPTURE(identity);
    const std::string bytes =
        WireBytes().tag('R').int32(1).string("s").string("t").tag(identity).int16(0).str();
    CHECK(static_cast<char>(std::get<Relation>(decode(bytes)).identity) == identity);
  }
}

TEST_CASE("an empty schema means pg_catalog") {
  CHECK(std::get<Relation>(decode(example("relation without columns"))).schema == "pg_catalog");
  const std::string built_in = example("built-in type");
  CHECK(std::get<Type>(decode(built_in)).schema == "pg_catalog");
  const std::string own = example("type");
  CHECK(std::get<Type>(decode(own)).schema == "public");
  CHECK(std::get<Type>(decode(own)).name == "mood");
  CHECK(std::get<Type>(decode(own)).oid == 16500);
}

TEST_CASE("rows keep null, unchanged, empty and text apart") {
  const std::string insert_bytes = example("insert");
  const auto insert = std::get<Insert>(decode(insert_bytes));
  CHECK(insert.relation_oid == 16384);
  CHECK(shown(insert.new_row) == Columns{"=1", "null"});

  const std::string update_bytes = example("update");
  const auto update = std::get<Update>(decode(update_bytes));
  CHECK(update.relation_oid == 16384);
  CHECK(update.old_row.kind == OldRow::Kind::none);
  CHECK(shown(update.new_row) == Columns{"=1", "unchanged"});

  const std::string key_bytes = example("update of the key");
  const auto key = std::get<Update>(decode(key_bytes));
  CHECK(key.old_row.kind == OldRow::Kind::key);
  CHECK(shown(key.old_row.tuple) == Columns{"=1", "null"});
  CHECK(shown(key.new_row) == Columns{"=2", "="});

  const std::string full_bytes = example("update with the full old row");
  const auto full = std::get<Update>(decode(full_bytes));
  CHECK(full.old_row.kind == OldRow::Kind::full);
  CHECK(shown(full.old_row.tuple) == Columns{"=a"});
  CHECK(shown(full.new_row) == Columns{"=b"});
}

TEST_CASE("a delete says by what its row is found") {
  const std::string key_bytes = example("delete by key");
  const auto by_key = std::get<Delete>(decode(key_bytes));
  CHECK(by_key.relation_oid == 16384);
  CHECK(by_key.old_row.kind == OldRow::Kind::key);
  CHECK(shown(by_key.old_row.tuple) == Columns{"=1", "null"});
  const std::string row_bytes = example("delete by row");
  const auto by_row = std::get<Delete>(decode(row_bytes));
  CHECK(by_row.old_row.kind == OldRow::Kind::full);
  CHECK(shown(by_row.old_row.tuple) == Columns{"null"});
}

TEST_CASE("a truncate has its relations and both options") {
  for (const uint8_t flags : {uint8_t{0}, uint8_t{1}, uint8_t{2}, uint8_t{3}}) {
    CAPTURE(flags);
    const auto truncate = std::get<pgoutput::Truncate>(
        decode(WireBytes().tag('T').int32(2).int8(flags).int32(5).int32(-1).str()));
    CHECK(truncate.cascade == ((flags & 1) != 0));
    CHECK(truncate.restart_identity == ((flags & 2) != 0));
    CHECK(truncate.relation_oids == std::vector<uint32_t>{5, 0xFFFFFFFFU});
  }
}

TEST_CASE("a logical decoding message has prefix and content") {
  const std::string bytes = example("message");
  const auto message = std::get<LogicalMessage>(decode(bytes));
  CHECK(message.transactional);
  CHECK(message.lsn == Lsn{0x3000});
  CHECK(message.prefix == "repld");
  CHECK(message.content == std::string_view("a\0b", 3));
}

TEST_CASE("a message that is cut off anywhere is a protocol error") {
  for (const Example& valid : examples()) {
    CAPTURE(valid.name);
    REQUIRE(outcome_of(valid.bytes) == Outcome::decoded);
    for (size_t length = 0; length < valid.bytes.size(); ++length) {
      CAPTURE(length);
      CHECK(outcome_of(std::string_view(valid.bytes).substr(0, length)) == Outcome::refused);
    }
  }
}

TEST_CASE("a message with a byte left over is a protocol error") {
  for (const Example& valid : examples()) {
    CAPTURE(valid.name);
    CHECK(outcome_of(valid.bytes + '\0') == Outcome::refused);
  }
}

TEST_CASE("a message with any one byte changed is decoded or a protocol error, nothing else") {
  for (const Example& valid : examples()) {
    CAPTURE(valid.name);
    for (size_t at = 0; at < valid.bytes.size(); ++at) {
      CAPTURE(at);
      for (int byte = 0; byte < 256; ++byte) {
        std::string changed = valid.bytes;
        changed[at] = static_cast<char>(byte);
        const Outcome outcome = outcome_of(changed);
        if (outcome == Outcome::other) {
          CAPTURE(byte);
          FAIL_CHECK("neither decoded nor a protocol error");
        }
      }
    }
  }
}

TEST_CASE("message types outside protocol 1 are protocol errors") {
  const std::string known = "BCORYIUDTM";
  const std::string body(64, '\0');
  for (int type = 0; type < 256; ++type) {
    CAPTURE(type);
    if (known.find(static_cast<char>(type)) == std::string::npos) {
      CHECK(outcome_of(static_cast<char>(type) + body) == Outcome::refused);
    }
  }
}

TEST_CASE("what the grammar does not allow is a protocol error") {
  const auto insert = [] { return WireBytes().tag('I').int32(1); };
  const Example rows[] = {
      {"flags of a commit", WireBytes().tag('C').int8(1).int64(1).int64(2).int64(3).str()},
      {"binary column", insert().tag('N').int16(1).tag('b').int32(1).raw("x").str()},
      {"negative column count", insert().tag('N').int16(-1).str()},
      {"negative value length", insert().tag('N').int16(1).tag('t').int32(-1).str()},
      {"insert with an old row", insert().tag('K').int16(1).text("1").str()},
      {"update with two old rows",
       WireBytes().tag('U').int32(1).tag('K').int16(0).tag('O').int16(0).tag('N').int16(0).str()},
      {"delete with a new row", WireBytes().tag('D').int32(1).tag('N').int16(0).str()},
      {"unknown replica identity",
       WireBytes().tag('R').int32(1).string("s").string("t").tag('x').int16(0).str()},
      {"unknown column flag", WireBytes()
                                  .tag('R')
                                  .int32(1)
                                  .string("s")
                                  .string("t")
                                  .tag('d')
                                  .int16(1)
                                  .int8(2)
                                  .string("c")
                                  .int32(1)
                                  .int32(1)
                                  .str()},
      {"truncate of nothing", WireBytes().tag('T').int32(0).int8(0).str()},
      {"truncate of a negative count", WireBytes().tag('T').int32(-1).int8(0).int32(1).str()},
      {"unknown option of a truncate", WireBytes().tag('T').int32(1).int8(4).int32(1).str()},
      {"unknown flag of a message",
       WireBytes().tag('M').int8(2).int64(1).string("p").int32(0).str()},
      {"negative length of a message",
       WireBytes().tag('M').int8(0).int64(1).string("p").int32(-1).str()},
  };
  for (const Example& row : rows) {
    CAPTURE(row.name);
    CHECK(outcome_of(row.bytes) == Outcome::refused);
  }
}

TEST_CASE("no error text carries bytes of a row") {
  const std::string bytes =
      WireBytes().tag('I').int32(1).tag('N').int16(2).text("hunter2").tag('b').str();
  std::string said;
  try {
    decode(bytes);
  } catch (const Error& error) {
    said = error.what() + error.detail() + error.hint();
  }
  CHECK_FALSE(said.empty());
  CHECK(said.find("hunter") == std::string::npos);
}
