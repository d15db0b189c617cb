#include "verify/described.h"

#include "pg/catalog.h"

namespace repld::verify {

ComparedTable described(pg::Session& source, pg::Session& target, const SourceTable& table) {
  const auto there = pg::read_target_table(target, table.name);
  if (!there) {
    throw missing_table(table.name);
  }
  const auto facts = pg::relation_facts(source, table.oid);
  return compared_table(table, *there,
                        facts ? common_key(*facts, *there) : std::vector<std::string>());
}

}  // namespace repld::verify
