#include "core/supply.h"

#include <algorithm>
#include <iterator>
#include <set>

namespace repld {

namespace {

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::vector<std::string> all_columns(const LeafEntry& entry) {
  std::vector<std::string> names = entry.columns;
  names.insert(names.end(), entry.generated.begin(), entry.generated.end());
  std::sort(names.begin(), names.end());
  return names;
}

void add(Operations& sum, const Operations& more) {
  sum.inserts |= more.inserts;
  sum.updates |= more.updates;
  sum.deletes |= more.deletes;
  sum.truncates |= more.truncates;
}

std::string any_of_filters(const std::vector<const LeafEntry*>& entries) {
  std::set<std::string> filters;
  for (const LeafEntry* entry : entries) {
    if (entry->filter.empty()) {
      return {};
    }
    filters.insert(entry->filter);
  }
  return fmt::format("{}", fmt::join(filters, " or "));
}

// In the order of the table.
std::vector<std::string> columns_given(const SourceTable& table, const Supply& supply) {
  std::vector<std::string> columns;
  for (const auto* names : {&table.columns, &table.generated}) {
    std::copy_if(names->begin(), names->end(), std::back_inserter(columns),
                 [&](const std::string& name) { return supply.gives(name); });
  }
  return columns;
}

SourceTable supplied_table(const SourceTable& table, const TableSupply& supply) {
  SourceTable given = table;
  given.columns.clear();
  given.leaves.clear();
  std::set<std::string> columns;
  for (const SourceLeaf& leaf : table.leaves) {
    const LeafSupply* found = supply.find_leaf(leaf.oid);
    if (found != nullptr && found->supply) {
      SourceLeaf with = leaf;
      with.columns = columns_given(table, *found->supply);
      with.filter = found->supply->filter;
      columns.insert(with.columns.begin(), with.columns.end());
      given.leaves.push_back(std::move(with));
    }
  }
  given.columns.assign(columns.begin(), columns.end());
  given.generated.erase(
      std::remove_if(given.generated.begin(), given.generated.end(),
                     [&](const std::string& name) { return columns.count(name) > 0; }),
      given.generated.end());
  return given;
}

}  // namespace

std::string to_string(const Operations& operations) {
  std::vector<std::string> names;
  const auto add_if = [&](bool set, const char* name) {
    if (set) {
      names.emplace_back(name);
    }
  };
  add_if(operations.inserts, "insert");
  add_if(operations.updates, "update");
  add_if(operations.deletes, "delete");
  add_if(operations.truncates, "truncate");
  return fmt::format("{}", fmt::join(names, ", "));
}

bool Supply::gives(const std::string& column) const {
  return contains(columns, column) || contains(generated, column);
}

bool LeafSupply::only_inserts() const {
  if (!supply || (!supply->operations.updates && !supply->operations.deletes)) {
    return true;
  }
  return identity.empty() || !std::all_of(identity.begin(), identity.end(),
                                          [&](const auto& name) { return supply->gives(name); });
}

bool TableSupply::published() const {
  return std::any_of(leaves.begin(), leaves.end(),
                     [](const LeafSupply& leaf) { return leaf.supply.has_value(); });
}

const LeafSupply* TableSupply::find_leaf(uint32_t leaf) const {
  const auto found = std::find_if(leaves.begin(), leaves.end(),
                                  [&](const LeafSupply& each) { return each.oid == leaf; });
  return found == leaves.end() ? nullptr : &*found;
}

void combine(const std::vector<LeafEntry>& entries, LeafSupply& leaf) {
  REPLD_ASSERT(!entries.empty());
  int top = 0;
  for (const LeafEntry& entry : entries) {
    top = std::max(top, entry.level);
  }
  std::vector<const LeafEntry*> deciding;
  Supply supply;
  for (const LeafEntry& entry : entries) {
    supply.entries[entry.publication] = entry.entry;
    add(supply.operations, entry.operations);
    if (entry.level == top) {
      deciding.push_back(&entry);
    }
  }
  const LeafEntry& first = *deciding.front();
  supply.columns = first.columns;
  supply.generated = first.generated;
  supply.listed = std::all_of(deciding.begin(), deciding.end(),
                              [](const LeafEntry* entry) { return entry->listed; });
  supply.filter = any_of_filters(deciding);
  for (const LeafEntry* entry : deciding) {
    if (!leaf.conflict && all_columns(*entry) != all_columns(first)) {
      leaf.conflict = {first.publication, entry->publication};
    }
  }
  leaf.supply = std::move(supply);
}

void require_one_column_list(const std::vector<TableSupply>& supplies) {
  for (const TableSupply& table : supplies) {
    for (const LeafSupply& leaf : table.leaves) {
      if (leaf.conflict) {
        throw Error(ErrorKind::schema,
                    fmt::format("publications \"{}\" and \"{}\" give different columns of \"{}\"",
                                leaf.conflict->first, leaf.conflict->second, leaf.name.full()))
            .detail("PostgreSQL does not decode changes of a table under two column lists")
            .hint(
                "Give both the same column list, or take the table out of one of them, or name "
                "only one of them in link.publications; then run replctl resume.")
            .table(leaf.name.full());
      }
    }
  }
}

IdentityNeed identity_need(const std::vector<TableSupply>& supplies, uint32_t relation,
                           const TableName& root) {
  for (const TableSupply& table : supplies) {
    if (table.name != root) {
      continue;
    }
    const auto only_inserts = [&](const LeafSupply& leaf) {
      const bool meant =
          relation == table.oid || relation == leaf.oid || table.find_leaf(relation) == nullptr;
      return !meant || !leaf.leaf || leaf.only_inserts();
    };
    return std::all_of(table.leaves.begin(), table.leaves.end(), only_inserts)
               ? IdentityNeed::unused
               : IdentityNeed::optional;
  }
  return IdentityNeed::optional;
}

std::vector<SourceTable> supplied_tables(const std::vector<SourceTable>& tables,
                                         const std::vector<TableSupply>& supplies) {
  std::vector<SourceTable> given;
  for (const SourceTable& table : tables) {
    const auto found =
        std::find_if(supplies.begin(), supplies.end(),
                     [&](const TableSupply& supply) { return supply.oid == table.oid; });
    if (found != supplies.end() && found->published()) {
      given.push_back(supplied_table(table, *found));
    }
  }
  return given;
}

}  // namespace repld
