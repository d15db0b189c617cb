#include "core/verify_sql.h"

#include <doctest/doctest.h>

using namespace repld;

namespace {

ScanPlan plan() {
  ScanPlan made;
  made.columns = {{"id", ColumnForm::int4, true}, {"v", ColumnForm::int4, false}};
  made.buckets = 8;
  return made;
}

constexpr const char* kKey = R"(coalesce(hashint4extended("id", 1), 0))";
constexpr const char* kRest = R"(coalesce(hashint4extended("v", 2), 0))";

std::string hashes() { return std::string(kKey) + " as k, " + kRest + " as v"; }

}  // namespace

TEST_CASE("one scan sums up the digests of all parts by bucket") {
  CHECK(
      bucket_scan(plan(), {{{"s", "a"}, false, ""}, {{"s", "b"}, false, "id > 5 or v is null"}}) ==
      "copy (select k & 7, count(*), sum(hashint8extended(k # v, k # v)) from (select " + hashes() +
          R"( from only "s"."a" union all select )" + hashes() +
          R"( from only "s"."b" where (id > 5 or v is null) offset bigint '0') r )"
          "group by 1) to stdout");
}

TEST_CASE("the second look reads only rows of the buckets that differ, by the hash of their key") {
  CHECK(row_scan(plan(), {{{"s", "a"}, true, "id > 5"}}, {1, 6}) ==
        "copy (select k, hashint8extended(k # v, k # v), c0 from (select " + hashes() +
            R"(, "id"::text as c0 from "s"."a" where (id > 5) and (()" + kKey +
            ") & 7) = any ('{1,6}'::bigint[]) offset bigint '0') r order by 1) to stdout");
}

TEST_CASE("only what is read is locked") {
  CHECK(lock_statement({{{"s", "a"}, true, ""}, {{"s", "b"}, false, ""}}) ==
        R"(lock table "s"."a", only "s"."b" in access share mode)");
}
