#include "core/schema_portable.h"

#include <doctest/doctest.h>

#include "sample_schema.h"

using namespace repld;
using namespace repld::schema;
using namespace repld::testing;

namespace {

bool says(const Portable& portable, const std::string& text) {
  for (const Finding& finding : portable.left_out) {
    if (finding.what.find(text) != std::string::npos && finding.severity == Severity::warning) {
      return true;
    }
  }
  return false;
}

}  // namespace

TEST_CASE("names in a platform's schemas are told from those that only look like it") {
  CHECK(names_platform("(user_id = auth.uid())"));
  CHECK(names_platform("storage.foldername(name)"));
  CHECK_FALSE(names_platform("oauth.uid()"));
  CHECK_FALSE(names_platform("public.auth = 1"));
  CHECK_FALSE(names_platform("t.auth.uid"));
  CHECK_FALSE(names_platform("'ends with auth.'"));
}

TEST_CASE("names are replaced whole, and uuid_generate_v4 in whatever schema") {
  CHECK(replace_name("extensions.citext[]", "extensions.citext", "public.citext") ==
        "public.citext[]");
  CHECK(replace_name("my_extensions.citext", "extensions.citext", "public.citext") ==
        "my_extensions.citext");
  CHECK(replace_name("a a.b a", "a", "b") == "b b.b b");
  CHECK(without_uuid_extension("extensions.uuid_generate_v4()") == "gen_random_uuid()");
  CHECK(without_uuid_extension("coalesce(uuid_generate_v4(), x)") ==
        "coalesce(gen_random_uuid(), x)");
}

TEST_CASE("a plain schema is portable as it is") {
  const Portable portable = make_portable(sample_schema(), sample_schema());
  CHECK(portable.left_out.empty());
  CHECK(portable.schema.tables[1].triggers.size() == 1);
}

TEST_CASE("what leans on the platform is left out or rewritten, and named") {
  Database source = sample_schema();
  Table& table = source.tables[1];
  table.columns[0].expression = "extensions.uuid_generate_v4()";
  table.columns[1].expression = "auth.uid()";
  table.constraints.push_back(
      {"owner", 'f', "FOREIGN KEY (id) REFERENCES auth.users(id)", {"auth", "users"}});
  table.constraints.push_back({"mine", 'c', "CHECK (auth.uid() IS NOT NULL)", {}});
  table.triggers.push_back(
      {"hook", "CREATE TRIGGER hook", true, {"supabase_functions", "http_request"}});
  table.policies = {{"own", {"authenticated"}, "create policy own"}};
  table.grantees = {"anon"};
  source.requirements.push_back({Requirement::Kind::function, "extensions",
                                 "extensions.uuid_generate_v4()", "uuid-ossp", "extensions"});
  const Portable portable = make_portable(source, sample_schema());
  const Table& made = portable.schema.tables[1];
  CHECK(made.columns[0].expression == "gen_random_uuid()");
  CHECK(made.columns[1].expression == "");
  CHECK(made.constraints.size() == 3);
  CHECK(made.triggers.size() == 1);
  CHECK(made.policies.empty());
  CHECK_FALSE(made.row_security);
  CHECK(portable.schema.requirements.size() == 1);
  for (const char* part :
       {"orders.id becomes", "orders.note is left out", "foreign key owner", "constraint mine",
        "trigger hook", "policies of public.orders", "rights of anon"}) {
    const std::string wanted = part;
    CAPTURE(wanted);
    CHECK(says(portable, wanted));
  }
}

TEST_CASE("an extension that the target has in another schema is followed there") {
  Database source = sample_schema();
  source.tables[1].columns[1].type = "extensions.citext";
  source.requirements.push_back(
      {Requirement::Kind::type, "extensions", "citext", "citext", "extensions"});
  Database target = sample_schema();
  target.extensions = {{"citext", "public", true}};
  CHECK(make_portable(source, target).schema.tables[1].columns[1].type == "public.citext");
}

TEST_CASE("a policy of one's own keeps row level security on") {
  Database source = sample_schema();
  source.tables[1].policies.push_back({"api", {"anon"}, "create policy api"});
  const Portable portable = make_portable(source, sample_schema());
  CHECK(portable.schema.tables[1].row_security);
  CHECK(portable.schema.tables[1].policies.size() == 1);
  CHECK(says(portable, "left out: api"));
}
