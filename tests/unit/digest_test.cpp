#include "core/digest.h"

#include <doctest/doctest.h>

using namespace repld;

namespace {

constexpr Digest kHash = {DigestMethod::hash, false};
constexpr Digest kMd5 = {DigestMethod::md5, false};
constexpr Digest kRecoded = {DigestMethod::hash, true};

}  // namespace

TEST_CASE("a value is hashed as it is stored only where both sides have the same built-in type") {
  struct Row {
    const char* name;
    ColumnType source;
    ColumnType target;
    ColumnForm form;
  };
  const Row rows[] = {
      {"int8", {20, true}, {20, true}, ColumnForm::int8},
      {"timestamptz", {1184, true}, {1184, true}, ColumnForm::timestamptz},
      {"numeric", {1700, true}, {1700, true}, ColumnForm::text},
      {"int4 and int8", {23, true}, {20, true}, ColumnForm::output},
      {"an enum", {16500, false}, {16777, false}, ColumnForm::output},
      {"char(n), whose cast drops blanks", {1042, false}, {1042, false}, ColumnForm::output},
      {"int8 that somebody gave a cast", {20, true}, {20, false}, ColumnForm::output},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    CHECK(column_form(row.source, row.target) == row.form);
  }
}

TEST_CASE("the hash of a column is what its form, the digest and its position ask for") {
  struct Row {
    const char* name;
    Digest digest;
    ColumnForm form;
    const char* sql;
  };
  const Row rows[] = {
      {"text", kHash, ColumnForm::text,
       R"(coalesce(hashtextextended(("a""b"::text) collate "C", 3), 0))"},
      {"int8", kHash, ColumnForm::int8, R"(coalesce(hashint8extended("a""b", "a""b" # 3), 0))"},
      {"output", kHash, ColumnForm::output,
       R"(coalesce(hashtextextended((case when "a""b" is distinct from null then )"
       R"(concat("a""b") end) collate "C", 3), 0))"},
      {"recoded", kRecoded, ColumnForm::text,
       R"(coalesce(hashtextextended((encode(convert_to("a""b"::text, 'UTF8'), 'hex')) )"
       R"(collate "C", 3), 0))"},
      {"md5 knows only text", kMd5, ColumnForm::int8,
       R"(coalesce(('x' || substr(md5('3:' || ("a""b"::text)), 1, 16))::bit(64)::bigint, 0))"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    CHECK(column_hash(row.digest, {"a\"b", row.form, false}, 3) == row.sql);
  }
}

TEST_CASE("columns keep their positions as seeds, whether they are part of the key or not") {
  const std::vector<DigestColumn> columns = {{"v", ColumnForm::int4, false},
                                             {"id", ColumnForm::int4, true},
                                             {"w", ColumnForm::int4, false}};
  CHECK(columns_hash(kHash, columns, true) == R"(coalesce(hashint4extended("id", 2), 0))");
  CHECK(columns_hash(kHash, columns, false) ==
        R"(coalesce(hashint4extended("v", 1), 0) # coalesce(hashint4extended("w", 3), 0))");
  CHECK(columns_hash(kHash, {}, true) == "bigint '0'");
}
