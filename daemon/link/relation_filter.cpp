#include "link/relation_filter.h"

#include <algorithm>

#include "link/adoption.h"
#include "link/shown.h"
#include "pg/catalog.h"

namespace repld::link {

namespace {

bool of_an_extension(pg::Session& source, uint32_t oid) {
  return !source
              .exec_params(
                  "select from pg_depend "
                  "where classid = 'pg_class'::regclass and objid = $1::oid and deptype = 'e'",
                  oid)
              .empty();
}

bool is_published(pg::Session& source, const std::vector<std::string>& publications,
                  const TableName& table) {
  return source.transact([&](pqxx::transaction_base& transaction) {
    const std::vector<TableSupply> now = stream::read_supplies(transaction, publications);
    return std::any_of(now.begin(), now.end(), [&](const TableSupply& supply) {
      return supply.name == table && supply.published();
    });
  });
}

}  // namespace

RelationFilter::RelationFilter(const Settings& settings, const std::vector<TableSupply>& adopted,
                               const std::vector<TableSupply>& now)
    : settings_(settings) {
  for (const TableSupply& table : adopted) {
    tables_.insert(table.name);
    for (const LeafSupply& leaf : table.leaves) {
      known_[leaf.oid] = true;
    }
    known_[table.oid] = true;
  }
  for (const TableSupply& table : now) {
    const bool ours = tables_.count(table.name) > 0;
    if (ours || !replicates_table(settings.config, table.name.schema, table.name.name)) {
      known_.emplace(table.oid, ours);
      for (const LeafSupply& leaf : table.leaves) {
        known_.emplace(leaf.oid, ours);
      }
    }
  }
}

bool RelationFilter::wants(const Relation& relation, uint32_t xid) {
  const auto found = known_.find(relation.oid);
  if (found != known_.end()) {
    return found->second;
  }
  return known_[relation.oid] = look_up(relation, xid);
}

bool RelationFilter::look_up(const Relation& relation, uint32_t xid) const {
  const TableName name{relation.schema, relation.name};
  pg::Session source(settings_.source);
  // First this, then the catalogs: what has ended by now they show.
  const bool visible = shows(source, xid);
  const std::optional<RelationFacts> facts = facts_of(source, relation);
  if (!facts && !visible) {
    throw not_shown_yet(relation);
  }
  const TableName root = facts ? facts->root : name;
  if (tables_.count(root) > 0) {
    return true;
  }
  // A partition that the source has dropped or detached since is known to the target by its name.
  pg::Session target(settings_.target);
  const std::optional<RelationFacts> there = pg::relation_facts(target, name);
  if (there && tables_.count(there->root) > 0) {
    return true;
  }
  const bool unwanted = !facts || !replicates_table(settings_.config, root.schema, root.name);
  // What was taken out of the publications again is none of the link's.
  if (unwanted || of_an_extension(source, relation.oid) ||
      !is_published(source, *existing_publications(settings_.config), root)) {
    return false;
  }
  throw added_table(root);
}

}  // namespace repld::link
