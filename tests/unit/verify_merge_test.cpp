#include "core/verify_merge.h"

#include <doctest/doctest.h>

#include "core/error.h"

using namespace repld;

namespace {

struct Brief {
  int64_t hash;
  const char* key;
  int64_t digest;
};
using Briefs = std::vector<Brief>;

RowStream stream_of(const Briefs& rows) {
  return [rows, next = size_t{0}]() mutable -> std::optional<ScannedRow> {
    if (next == rows.size()) {
      return std::nullopt;
    }
    const Brief& row = rows[next++];
    return ScannedRow{row.hash, row.digest, {row.key}};
  };
}

TableProof merged(const Briefs& source, const Briefs& target, size_t listed_max = 1000) {
  TableProof proof;
  merge_rows(stream_of(source), stream_of(target), listed_max, proof);
  return proof;
}

std::string readable(const TableProof& proof) {
  std::string text;
  for (const DifferingRow& row : proof.listed) {
    text += std::string(to_string(row.kind)) + " " + row.key[0].value_or("null") + "\n";
  }
  return text;
}

}  // namespace

TEST_CASE("rows of two sides are told apart by key and digest") {
  struct Row {
    const char* name;
    Briefs source;
    Briefs target;
    const char* found;
  };
  const Row rows[] = {
      {"nothing", {}, {}, ""},
      {"equal", {{1, "a", 5}, {2, "b", 6}}, {{1, "a", 5}, {2, "b", 6}}, ""},
      {"missing at the end", {{1, "a", 5}, {2, "b", 6}}, {{1, "a", 5}}, "missing b\n"},
      {"missing at the start", {{1, "a", 5}, {2, "b", 6}}, {{2, "b", 6}}, "missing a\n"},
      {"extra", {{2, "b", 6}}, {{-1, "z", 5}, {2, "b", 6}}, "extra z\n"},
      {"different", {{1, "a", 5}}, {{1, "a", 6}}, "different a\n"},
      {"keys of one hash in another order",
       {{1, "a", 5}, {1, "b", 6}, {1, "c", 7}},
       {{1, "b", 6}, {1, "d", 7}, {1, "a", 5}},
       "missing c\nextra d\n"},
      {"duplicates count",
       {{1, "a", 5}, {1, "a", 5}, {1, "a", 5}},
       {{1, "a", 5}},
       "missing a\nmissing a\n"},
      {"a key twice on one side",
       {{1, "a", 5}},
       {{1, "a", 6}, {1, "a", 7}},
       "different a\nextra a\n"},
      {"one of two equal rows changed",
       {{1, "a", 5}, {1, "a", 5}},
       {{1, "a", 5}, {1, "a", 6}},
       "different a\n"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    CHECK(readable(merged(row.source, row.target)) == row.found);
  }
}

TEST_CASE("counts are exact beyond what is listed") {
  const Briefs source = {{1, "a", 5}, {2, "b", 5}, {3, "c", 5}, {4, "d", 5}};
  const Briefs target = {{2, "b", 6}, {5, "e", 5}};
  const TableProof proof = merged(source, target, 2);
  CHECK(proof.missing == 3);
  CHECK(proof.different == 1);
  CHECK(proof.extra == 1);
  CHECK(readable(proof) == "missing a\ndifferent b\n");
  CHECK_FALSE(proof.equal());
}

TEST_CASE("large rows are listed until they are too many bytes, and counted all") {
  const std::string large(1 << 20, 'x');
  Briefs source;
  for (int64_t hash = 0; hash < 20; ++hash) {
    source.push_back({hash, large.c_str(), 5});
  }
  const TableProof proof = merged(source, {});
  CHECK(proof.missing == 20);
  CHECK(proof.listed.size() == 8);
}

TEST_CASE("a stream out of order is not believed") {
  CHECK_THROWS_AS(merged({{2, "a", 5}, {1, "b", 5}}, {}), Error);
}
