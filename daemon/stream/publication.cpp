#include "stream/publication.h"

#include "core/sql_text.h"

namespace repld::stream {

namespace {

void require_publishable(const std::vector<SourceTable>& tables) {
  std::vector<std::string> without_identity;
  std::vector<std::string> foreign;
  for (const SourceTable& table : tables) {
    if (!table.owned) {
      foreign.push_back(table.name.full());
    }
    for (const SourceLeaf& leaf : table.leaves) {
      if (!leaf.identity_usable) {
        without_identity.push_back(leaf.name.full());
      }
    }
  }
  if (!without_identity.empty()) {
    throw Error(ErrorKind::schema, "tables without a usable replica identity")
        .detail("{}", fmt::join(without_identity, ", "))
        .hint(
            "Publishing them would make the application's own UPDATE and DELETE fail. Add a "
            "primary key, or ALTER TABLE .. REPLICA IDENTITY FULL (or USING INDEX), or list "
            "them in tables.exclude; then run replctl resume.")
        .table(without_identity.front());
  }
  if (!foreign.empty()) {
    throw Error(ErrorKind::schema, "tables that the source's user does not own")
        .detail("{}", fmt::join(foreign, ", "))
        .hint(
            "Make the user a member of the owning role, or list them in tables.exclude; then "
            "run replctl resume.")
        .table(foreign.front());
  }
}

std::string table_list(const std::vector<SourceTable>& tables) {
  std::vector<std::string> entries;
  for (const SourceTable& table : tables) {
    entries.push_back((table.partitioned ? "" : "only ") +
                      quote_qualified(table.name.schema, table.name.name));
  }
  return fmt::format("{}", fmt::join(entries, ", "));
}

}  // namespace

void ensure_publication(pg::Session& source, const std::string& name,
                        const std::vector<SourceTable>& tables) {
  require_publishable(tables);
  const std::string list = table_list(tables);
  const bool exists =
      !source.exec_params("select from pg_publication where pubname = $1", name).empty();
  source.exec(exists
                  ? fmt::format("alter publication {} set table {}", quote_identifier(name), list)
                  : fmt::format("create publication {} for table {} with "
                                "(publish_via_partition_root = false)",
                                quote_identifier(name), list));
}

void drop_publication(pg::Session& source, const std::string& name) {
  source.exec(fmt::format("drop publication if exists {}", quote_identifier(name)));
}

}  // namespace repld::stream
