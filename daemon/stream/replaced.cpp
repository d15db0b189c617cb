#include "stream/replaced.h"

#include <fmt/ranges.h>

#include "core/array_text.h"
#include "embedded_sql.h"

namespace repld::stream {

std::vector<std::string> find_replaced(pg::Session& source, const Published& published) {
  std::vector<std::string> schemas;
  std::vector<std::string> names;
  std::vector<std::string> oids;
  for (const PublishedTable& table : published.tables) {
    schemas.push_back(table.name.schema);
    names.push_back(table.name.name);
    oids.push_back(std::to_string(table.oid));
  }
  std::vector<std::string> replaced;
  for (const auto& row : source.exec_params(std::string(sql::kReplacedTables), array_text(schemas),
                                            array_text(names), array_text(oids))) {
    replaced.emplace_back(row[0].c_str());
  }
  return replaced;
}

std::vector<std::string> find_silent(pg::Session& source, const Published& published) {
  std::vector<std::string> oids;
  for (const PublishedTable& table : published.tables) {
    oids.push_back(std::to_string(table.oid));
  }
  std::vector<std::string> silent;
  for (const auto& row :
       source.exec_params(std::string(sql::kSilentPartitions), array_text(oids))) {
    silent.emplace_back(row[0].c_str());
  }
  return silent;
}

Error silent_partitions(const std::vector<std::string>& tables) {
  return Error(ErrorKind::schema, "partitions whose changes are in no WAL")
      .detail("{}", fmt::join(tables, ", "))
      .hint(
          "Nothing of what is written to unlogged or foreign tables arrives. ALTER TABLE .. SET "
          "LOGGED on the source, or detach them; then run replctl resume, and replctl repair for "
          "the rows that were written meanwhile.")
      .table(tables.front());
}

Error replaced_tables(const std::vector<std::string>& tables) {
  return Error(ErrorKind::schema, "tables were replaced on the source")
      .detail("{}", fmt::join(tables, ", "))
      .hint(
          "Another table bears the name of one that was copied, or that one has become a "
          "partition; what is written there now is none of the copy's. Undo it, or, where tables "
          "were renamed, rename and make them on the target likewise; then replctl resume. Or end "
          "the link with replctl finalize and set it up again.")
      .table(tables.front());
}

}  // namespace repld::stream
