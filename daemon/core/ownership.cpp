#include "core/ownership.h"

#include <fmt/format.h>

#include "core/effects.h"
#include "core/sql_text.h"

namespace repld {

void mend_ownership(const schema::Table& table, const std::string& user,
                    const std::string& superuser, Finding& finding) {
  if (!table.owner_superuser) {
    finding.sql =
        fmt::format("grant {} to {};", quote_identifier(table.owner), quote_identifier(user));
    finding.role = table.may_join_owner ? user : superuser;
    finding.action =
        fmt::format("It makes {} a member of {}, which keeps all its rights.", user, table.owner);
    return;
  }
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

}  // namespace repld
