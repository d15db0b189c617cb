#include "core/ownership.h"

#include <doctest/doctest.h>

#include "sample_schema.h"

using namespace repld;
using namespace repld::testing;

namespace {

constexpr const char* kGrant = "grant \"them\" to \"us\";";
constexpr const char* kInherit = "alter role \"us\" inherit;";
constexpr const char* kBoth = "grant \"them\" to \"us\";\nalter role \"us\" inherit;";
constexpr const char* kGrantInherit = "grant \"them\" to \"us\" with inherit true;";

struct Row {
  bool grants_inherit;  // of the server
  bool user_inherits;
  bool may_alter_user;
  bool member;
  bool may_join;
  const char* sql;
  const char* role;
};
const Row kRows[] = {
    // Before version 16 the role's attribute decides.
    {false, true, false, false, true, kGrant, "us"},
    {false, true, false, false, false, kGrant, "root"},
    {false, false, false, true, true, kInherit, "root"},
    {false, false, true, true, false, kInherit, "us"},
    {false, false, false, false, true, kBoth, "root"},
    {false, false, true, false, true, kBoth, "us"},
    // Since then the grant does.
    {true, false, true, true, false, kGrantInherit, "root"},
    {true, true, false, true, true, kGrantInherit, "us"},
    {true, true, false, false, true, kGrantInherit, "us"},
};

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a table of another's is joined in a way that brings its owner's rights") {
  for (const Row& row : kRows) {
    schema::Database database = sample_schema();
    database.superuser = "root";
    database.grants_inherit = row.grants_inherit;
    database.user_inherits = row.user_inherits;
    database.may_alter_user = row.may_alter_user;
    schema::Table& table = database.tables[0];
    table.owner = "them";
    table.owner_logs_in = true;
    table.member_of_owner = row.member;
    table.may_join_owner = row.may_join;
    Finding finding;
    finding.side = Side::source;
    mend_ownership(table, database, finding);
    CHECK(finding.sql == row.sql);
    CHECK(finding.role == row.role);
    CHECK(finding.effect.empty() == !has(finding.sql, "alter role"));
    CHECK(has(finding.action, "already") == row.member);
    CHECK(has(finding.action, "Or let source.dsn log in as them.") == (finding.role == "root"));
    table.owner_logs_in = false;
    mend_ownership(table, database, finding);
    CHECK(!has(finding.action, "log in as"));
  }
}
