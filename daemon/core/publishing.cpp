#include "core/publishing.h"

#include <algorithm>
#include <set>

namespace repld {

std::vector<Unpublishable> unpublishable(const std::vector<SourceTable>& tables) {
  std::vector<Unpublishable> found;
  for (const SourceTable& table : tables) {
    if (!table.owned) {
      found.push_back({Obstacle::not_owned, table.name});
    }
    if (table.partitioned && !table.primary_key) {
      found.push_back({Obstacle::no_root_key, table.name});
    }
    for (const SourceLeaf& leaf : table.leaves) {
      if (!leaf.streams) {
        found.push_back({Obstacle::no_wal, leaf.name});
      } else if (!leaf.identity_usable) {
        found.push_back({Obstacle::no_identity, leaf.name});
      }
    }
  }
  return found;
}

std::vector<TableName> unreadable(const std::vector<SourceTable>& tables, bool publishes) {
  std::vector<TableName> found;
  for (const SourceTable& table : tables) {
    for (const SourceLeaf& leaf : table.leaves) {
      const bool told = publishes && !table.owned && leaf.oid == table.oid;
      if (leaf.streams && !leaf.readable && !told) {
        found.push_back(leaf.name);
      }
    }
  }
  return found;
}

void keep_streaming(const std::vector<SourceTable>& tables, schema::Database& source) {
  std::set<TableName> roots;
  std::set<TableName> silent;
  for (const SourceTable& table : tables) {
    roots.insert(table.name);
    for (const SourceLeaf& leaf : table.leaves) {
      if (!leaf.streams) {
        silent.insert(leaf.name);
      }
    }
  }
  source.tables.erase(std::remove_if(source.tables.begin(), source.tables.end(),
                                     [&](const schema::Table& table) {
                                       return roots.count(table.root) == 0 ||
                                              silent.count(table.name) > 0;
                                     }),
                      source.tables.end());
}

}  // namespace repld
