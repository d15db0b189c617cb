#include "link/adoption.h"

#include <algorithm>
#include <set>

#include "stream/slot.h"

namespace repld::link {

namespace {

std::string list_of(const std::optional<std::vector<std::string>>& publications) {
  return publications ? fmt::format("publications {}", fmt::join(*publications, ", "))
                      : "a publication of its own";
}

const TableSupply* find(const std::vector<TableSupply>& supplies, uint32_t oid) {
  const auto found = std::find_if(supplies.begin(), supplies.end(),
                                  [&](const TableSupply& supply) { return supply.oid == oid; });
  return found == supplies.end() ? nullptr : &*found;
}

const TableSupply* find(const std::vector<TableSupply>& supplies, const TableName& name) {
  const auto found = std::find_if(supplies.begin(), supplies.end(),
                                  [&](const TableSupply& supply) { return supply.name == name; });
  return found == supplies.end() ? nullptr : &*found;
}

Error made_again(const TableName& name) {
  Error error(ErrorKind::slot_lost,
              fmt::format("table \"{}\" is not the one that was copied", name.full()));
  error.detail("the source dropped it and made another of the same name");
  error.hint("{}", stream::kCopyAgain);
  return error.table(name.full());
}

}  // namespace

std::optional<std::vector<std::string>> existing_publications(const Config& config) {
  if (config.link.create_publication) {
    return std::nullopt;
  }
  const std::set<std::string> names(config.link.publications.begin(),
                                    config.link.publications.end());
  return std::vector<std::string>(names.begin(), names.end());
}

void require_same_publications(const Config& config, const apply::ProgressRow& row) {
  const auto wanted = existing_publications(config);
  if (wanted == row.publications) {
    return;
  }
  throw Error(ErrorKind::refused, "the link was set up with other publications")
      .detail("it streams through {}; the configuration asks for {}", list_of(row.publications),
              list_of(wanted))
      .hint(
          "Put link.create_publication and link.publications back as they were and start repld "
          "again. Or, to change them, run replctl finalize, empty the target's tables and run "
          "replctl resume, so that they are copied afresh.");
}

stream::SlotClaim slot_claim(const apply::ProgressRow& row) {
  return {row.slot_name, row.system_identifier, row.lsn, row.phase == apply::Phase::streaming,
          row.slot_maker};
}

std::vector<std::string> left_out(const Config& config, const std::vector<SourceTable>& tables,
                                  const std::vector<TableSupply>& supplies) {
  std::vector<std::string> names;
  for (const TableSupply& supply : supplies) {
    if (!supply.published()) {
      continue;
    }
    if (!replicates_table(config, supply.name.schema, supply.name.name)) {
      names.push_back(supply.name.full() + " (by the configuration)");
      continue;
    }
    const bool copied = std::any_of(tables.begin(), tables.end(), [&](const SourceTable& table) {
      return table.oid == supply.oid;
    });
    for (const LeafSupply& leaf : supply.leaves) {
      if (copied && leaf.leaf && !leaf.supply) {
        names.push_back(leaf.name.full() + " (a partition that is not published)");
      }
    }
  }
  return names;
}

std::vector<TableSupply> read_adopted(pg::Session& target, const std::string& link) {
  std::vector<TableSupply> adopted;
  for (const auto& row : target.exec_params(
           "select published::text from repld.table_state "
           "where link = $1 and published is not null order by schema_name, table_name",
           link)) {
    adopted.push_back(parse_supply(row[0].c_str()));
  }
  return adopted;
}

std::optional<Error> find_difference(const Config& config, const std::vector<TableSupply>& adopted,
                                     const std::vector<TableSupply>& now) {
  for (const TableSupply& table : adopted) {
    if (const TableSupply* same = find(now, table.oid)) {
      if (auto difference = supply_difference(table, *same)) {
        return difference;
      }
    } else if (find(now, table.name) != nullptr) {
      return made_again(table.name);
    }
    // One that was dropped for good is missed by nobody.
  }
  for (const TableSupply& table : now) {
    // What was a partition when it was copied may be a table of its own by now.
    const bool known = find(adopted, table.oid) != nullptr ||
                       std::any_of(adopted.begin(), adopted.end(), [&](const TableSupply& each) {
                         return each.find_leaf(table.oid) != nullptr;
                       });
    if (!known && table.published() &&
        replicates_table(config, table.name.schema, table.name.name)) {
      return added_table(table.name);
    }
  }
  return std::nullopt;
}

Error added_table(const TableName& table) {
  Error error(ErrorKind::schema,
              fmt::format("table \"{}\" came into the publications after the copy", table.full()));
  error.detail("tables cannot be added to a running link yet");
  error.hint(
      "List it in tables.exclude and start repld again, or take it out of the publications and run "
      "replctl resume. To replicate it, run replctl finalize, empty the target's tables and run "
      "replctl resume: all are then copied afresh, with it.");
  return error.table(table.full());
}

}  // namespace repld::link
