#include "core/ownership.h"

#include <fmt/format.h>

#include "core/effects.h"
#include "core/sql_text.h"

namespace repld {

namespace {

// Before version 16 GRANT gives the rights only to a role that inherits, and that it does not is
// the role's own attribute.
void join_owner(const schema::Table& table, const schema::Database& database, Finding& finding) {
  const std::string& user = database.user;
  const bool alters_user = !database.grants_inherit && !database.user_inherits;
  const bool grants = !alters_user || !table.member_of_owner;
  std::string sql;
  if (grants) {
    sql = fmt::format("grant {} to {}{};", quote_identifier(table.owner), quote_identifier(user),
                      database.grants_inherit ? " with inherit true" : "");
  }
  if (alters_user) {
    sql += fmt::format("{}alter role {} inherit;", grants ? "\n" : "", quote_identifier(user));
    finding.effect = fmt::format(
        "From then on {} has the rights of every role that it is a member of without SET ROLE, "
        "also for an application that logs in as it.",
        user);
  }
  finding.sql = sql;
  const bool may_all =
      (!grants || table.may_join_owner) && (!alters_user || database.may_alter_user);
  finding.role = may_all ? user : database.superuser;
  finding.action =
      table.member_of_owner
          ? fmt::format("{} is a member of {} already, but without inheriting its rights.", user,
                        table.owner)
          : fmt::format("It makes {} a member of {}, which keeps all its rights.", user,
                        table.owner);
  if (!may_all && table.owner_logs_in) {
    finding.action +=
        fmt::format(" Or let {}.dsn log in as {}.", to_string(finding.side), table.owner);
  }
}

void change_owner(const schema::Table& table, const std::string& user, Finding& finding) {
  finding.sql =
      fmt::format("alter table {} owner to {};",
                  quote_qualified(table.name.schema, table.name.name), quote_identifier(user));
  finding.role = table.owner;
  finding.action = fmt::format(
      "{} is a superuser, so membership in it is no way; if the provider keeps it, ask there.",
      table.owner);
  finding.effect = fmt::format(
      "From then on {0} may alter and drop the table instead of {1}, and its policies no longer "
      "hold for {0}; the rights of others stay. {2}",
      user, table.owner, kLocksForMoment);
}

}  // namespace

void mend_ownership(const schema::Table& table, const schema::Database& database,
                    Finding& finding) {
  if (table.owner_superuser) {
    change_owner(table, database.user, finding);
  } else {
    join_owner(table, database, finding);
  }
}

}  // namespace repld
