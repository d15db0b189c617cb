#include "apply/schema_map.h"

#include <algorithm>
#include <set>

#include "core/set_sql.h"
#include "core/sql_text.h"
#include "pg/catalog.h"

namespace repld::apply {

namespace {

// By the catalogs' rows: a cast to regclass asks for rights on the schema.
constexpr const char* kNames =
    "select 1 / (count(*) = cardinality($1::oid[]))::int "
    "from unnest($1::oid[], $2::text[], $3::text[]) t(oid, schema_name, name) "
    "join pg_catalog.pg_class c on c.oid = t.oid and c.relname = t.name "
    "join pg_catalog.pg_namespace n on n.oid = c.relnamespace and n.nspname = t.schema_name";

std::vector<std::string> key_columns(const Relation& relation) {
  std::vector<std::string> names;
  for (const RelationColumn& column : relation.columns) {
    if (column.key) {
      names.push_back(column.name);
    }
  }
  return names;
}

bool same_set(std::vector<std::string> left, std::vector<std::string> right) {
  std::sort(left.begin(), left.end());
  std::sort(right.begin(), right.end());
  return left == right;
}

bool has_columns(const Relation& relation, const std::vector<std::string>& names) {
  return std::all_of(names.begin(), names.end(), [&](const std::string& name) {
    return std::any_of(relation.columns.begin(), relation.columns.end(),
                       [&](const RelationColumn& column) { return column.name == name; });
  });
}

bool has_columns(const TargetTable& table, const Relation& relation) {
  return std::all_of(
      relation.columns.begin(), relation.columns.end(),
      [&](const RelationColumn& column) { return table.find_column(column.name) != nullptr; });
}

bool has_key(const RelationFacts& source, const std::vector<std::string>& columns) {
  return std::any_of(source.keys.begin(), source.keys.end(),
                     [&](const auto& key) { return same_set(key, columns); });
}

// Columns that identify a row on the target; empty: none, the whole row does. Under FULL the
// source names no key, but the target's primary key serves when the source sends its columns and
// keeps them unique itself: else two rows of the source would become one.
std::vector<std::string> identity_columns(const Relation& relation, const RelationFacts& source,
                                          const TargetTable& table) {
  if (relation.identity == ReplicaIdentity::full) {
    const bool usable = !table.keys.empty() && table.keys.front().primary &&
                        has_columns(relation, table.keys.front().columns) &&
                        has_key(source, table.keys.front().columns);
    return usable ? table.keys.front().columns : std::vector<std::string>();
  }
  std::vector<std::string> wanted = key_columns(relation);
  for (const TargetKey& key : table.keys) {
    if (same_set(key.columns, wanted)) {
      return wanted;
    }
  }
  if (source.identity == IdentityNeed::unused ||
      (source.identity == IdentityNeed::optional && wanted.empty())) {
    return {};
  }
  throw Error(ErrorKind::schema,
              fmt::format("no unique index of the target matches the replica identity of \"{}\"",
                          relation.full_name()))
      .detail("identity columns: {}", fmt::join(wanted, ", "))
      .hint(
          "Create a unique index (not deferrable, not partial) on these columns of the target "
          "table, then run replctl resume.")
      .table(relation.full_name());
}

// Of a table that was taken to let only INSERTs through.
Error unidentified_row(const Relation& relation) {
  Error error(ErrorKind::schema,
              fmt::format("an UPDATE or DELETE of \"{}\" came, and nothing identifies its rows",
                          relation.full_name()));
  error.hint(
      "Its replica identity or its publication changed since the link began to stream. Run replctl "
      "resume; what the target lacks is told then.");
  return error.table(relation.full_name());
}

MappedColumn map_column(const Relation& relation, const RelationColumn& column,
                        const TargetTable& table, const std::vector<std::string>& identity) {
  const TargetColumn* target = table.find_column(column.name);
  if (target == nullptr) {
    throw missing_column({relation.schema, relation.name}, column.name);
  }
  MappedColumn mapped;
  mapped.name = quote_identifier(column.name);
  mapped.type = target->type;
  mapped.array = target->array;
  mapped.collation = target->collation;
  mapped.equality = target->equality;
  mapped.written = !target->generated;
  mapped.identity_always = target->identity_always;
  mapped.key = std::find(identity.begin(), identity.end(), column.name) != identity.end();
  for (const TargetKey& key : table.keys) {
    mapped.in_primary_key |= key.primary && std::find(key.columns.begin(), key.columns.end(),
                                                      column.name) != key.columns.end();
  }
  return mapped;
}

std::vector<std::string> other_columns(const Relation& relation, const TargetTable& table) {
  std::vector<std::string> names;
  for (const TargetColumn& column : table.columns) {
    if (!column.generated && !has_columns(relation, {column.name})) {
      names.push_back(quote_identifier(column.name));
    }
  }
  return names;
}

std::string refetch_literals(const std::string& link, const TableName& table,
                             const Relation& relation, const std::vector<std::string>& identity) {
  std::vector<std::string> columns;
  for (const RelationColumn& column : relation.columns) {
    if (std::find(identity.begin(), identity.end(), column.name) != identity.end()) {
      columns.push_back(quote_literal(column.name));
    }
  }
  return fmt::format("{}, {}, {}, array[{}]::text[]", quote_literal(link),
                     quote_literal(table.schema), quote_literal(table.name),
                     fmt::join(columns, ", "));
}

}  // namespace

SchemaMap::SchemaMap(pg::Session& target, std::string link, SchemaQuestions ask,
                     IdentityNeed dropped)
    : target_(target), link_(std::move(link)), ask_(std::move(ask)), dropped_(dropped) {}

void SchemaMap::map_all(const TransactionPart& part) {
  xid_ = part.xid;
  const Relation* last = nullptr;
  bool inserts_only = false;
  for (const Change& change : part.changes) {
    if (change.relation && change.relation.get() != last) {
      inserts_only = find(change.relation).inserts_only;
      last = change.relation.get();
    }
    if (inserts_only && change.relation && change.kind != ChangeKind::insert) {
      throw unidentified_row(*change.relation);
    }
  }
  for (const Truncate& truncate : part.truncates) {
    std::set<uint32_t> emptied;  // roots
    for (const RelationPtr& relation : truncate.relations) {
      const MappedRelation& mapped = find(relation);
      if (mapped.truncate_target.empty() && emptied.insert(mapped.source_root).second) {
        require_truncatable(truncate, mapped);
      }
    }
  }
}

MappedRelation& SchemaMap::find(const RelationPtr& relation) {
  const auto found = relations_.find(relation.get());
  if (found != relations_.end()) {
    return *found->second.mapped;
  }
  const bool again = latest_.count(relation->oid) > 0;
  // Its description may be the same although the transaction altered it.
  if (again || relation->identity == ReplicaIdentity::full) {
    ask_.require_altered_shown(*relation, xid_);
  }
  if (again) {
    forget_unused(relation->oid);
  }
  MappedRelation* mapped = unchanged(relation);
  if (mapped == nullptr) {
    mapped = mapped_.emplace_back(map(relation)).get();
    latest_[relation->oid] = mapped;
  }
  relations_[relation.get()] = {relation, mapped};
  return *mapped;
}

MappedRelation* SchemaMap::unchanged(const RelationPtr& relation) {
  const auto latest = latest_.find(relation->oid);
  if (latest == latest_.end() || *latest->second->relation != *relation) {
    return nullptr;
  }
  const auto mark = ask_.mark(relation->oid);
  return !mark || *mark == latest->second->mark ? latest->second : nullptr;
}

// Descriptions that no change refers to any more.
void SchemaMap::forget_unused(uint32_t oid) {
  for (auto known = relations_.begin(); known != relations_.end();) {
    const RelationPtr& relation = known->second.relation;
    const bool unused = relation->oid == oid && relation.use_count() == 1;
    known = unused ? relations_.erase(known) : std::next(known);
  }
}

// With the columns that the link adds.
TargetTable SchemaMap::complete(const Relation& relation, TargetTable table) {
  if (has_columns(table, relation) || !ask_.ensure_columns(relation, table, release_)) {
    return table;
  }
  return pg::read_target_table(target_, table.name).value_or(table);
}

// A commit streams before the source shows it: what does not fit may fit once it does.
std::unique_ptr<MappedRelation> SchemaMap::map(const RelationPtr& relation) {
  try {
    return map_as_shown(relation);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::schema) {
      throw;
    }
  }
  ask_.require_shown(*relation, xid_);
  return map_as_shown(relation);
}

std::unique_ptr<MappedRelation> SchemaMap::map_as_shown(const RelationPtr& relation) {
  const TableName own_name{relation->schema, relation->name};
  // A partition that was dropped since is found through the target's partition of that name.
  RelationFacts source;
  source.root = own_name;
  source.identity = dropped_;
  auto mapped = std::make_unique<MappedRelation>();
  mapped->mark = ask_.mark(relation->oid).value_or("");
  const std::optional<RelationFacts> known = ask_.look_up(*relation);
  source = known.value_or(source);
  const auto there = pg::read_target_table(target_, source.root);
  const TableName known_as = ask_.require_taken_over(*relation, known, there);
  const TargetTable table = complete(*relation, *there);
  if (own_name != table.name) {
    ask_.ensure_partition(*relation, table.name, known, release_);
  }
  mapped->relation = relation;
  mapped->table = known_as;
  mapped->called = table.name;
  mapped->target_oid = table.oid;
  mapped->source_root = source.root_oid;
  mapped->mapping.target = quote_qualified(table.name.schema, table.name.name);
  mapped->mapping.partitioned = table.partitioned;
  mapped->deferrable = table.deferrable;
  const std::vector<std::string> identity = identity_columns(*relation, source, table);
  mapped->inserts_only = identity.empty() && relation->identity != ReplicaIdentity::full;
  const std::vector<TypeShape> types = ask_.column_types(*relation);
  for (size_t i = 0; i < relation->columns.size(); ++i) {
    mapped->mapping.columns.push_back(map_column(*relation, relation->columns[i], table, identity));
    require_no_loss(table.name, *table.find_column(relation->columns[i].name), types[i]);
  }
  mapped->mapping.others = other_columns(*relation, table);
  mapped->mapping.refetch = refetch_literals(link_, known_as, *relation, identity);
  // Of a partition that the source has dropped since, the name is all that is left.
  const auto own = pg::relation_facts(target_, own_name);
  if (own && own->root_oid == table.oid && (!known || own->same_bounds(source))) {
    mapped->truncate_target = (pg::is_partitioned(target_, own_name) ? "" : "only ") +
                              quote_qualified(own_name.schema, own_name.name);
  }
  return mapped;
}

bool SchemaMap::empties(const Truncate& truncate, const MappedRelation& relation) {
  std::vector<uint32_t> leaves;
  for (const RelationPtr& each : truncate.relations) {
    if (find(each).source_root == relation.source_root) {
      leaves.push_back(each->oid);
    }
  }
  return relation.source_root != 0 && ask_.are_all_leaves(relation.source_root, leaves);
}

void SchemaMap::require_truncatable(const Truncate& truncate, const MappedRelation& relation) {
  if (!relation.truncate_target.empty() || empties(truncate, relation)) {
    return;
  }
  const std::string name = relation.relation->full_name();
  throw Error(ErrorKind::schema,
              fmt::format("TRUNCATE of partition \"{}\" cannot be applied", name))
      .detail("the target divides \"{}\" in another way", relation.table.full())
      .hint("Give the target a partition of the same name and bounds, then run replctl resume.")
      .table(name);
}

std::unique_ptr<Prepared> SchemaMap::make(Statement statement) {
  auto prepared = std::make_unique<Prepared>();
  prepared->statement = std::move(statement);
  prepared->name = fmt::format("s{}", next_name_++);
  prepared_.push_back(prepared.get());
  return prepared;
}

Prepared& SchemaMap::insert(MappedRelation& relation, Strictness strictness) {
  auto& slot = relation.inserts[static_cast<int>(strictness)];
  if (!slot) {
    slot = make(insert_statement(relation.mapping, strictness));
  }
  return *slot;
}

Prepared& SchemaMap::remove(MappedRelation& relation, Strictness strictness) {
  auto& slot = relation.deletes[static_cast<int>(strictness)];
  if (!slot) {
    slot = make(delete_statement(relation.mapping, strictness));
  }
  return *slot;
}

Prepared& SchemaMap::update(MappedRelation& relation, const UpdateShape& shape,
                            Strictness strictness) {
  std::vector<bool> key = {strictness == Strictness::exact, shape.old_row};
  key.insert(key.end(), shape.known.begin(), shape.known.end());
  key.insert(key.end(), shape.moved.begin(), shape.moved.end());
  auto& slot = relation.updates[key];
  if (!slot) {
    slot = make(update_statement(relation.mapping, shape, strictness));
  }
  return *slot;
}

const Statement& SchemaMap::set(MappedRelation& relation, const RowSet& rows) {
  Statement& slot = relation.sets[{rows.kind, rows.known}];
  if (slot.sql.empty()) {
    slot = set_statement(relation.mapping, rows.kind, rows.known);
  }
  return slot;
}

Prepared& SchemaMap::names() {
  if (!names_) {
    names_ = make({kNames, {}});
  }
  return *names_;
}

void SchemaMap::forget() {
  relations_.clear();
  latest_.clear();
}

void SchemaMap::forget_unconfirmed() {
  for (Prepared* prepared : prepared_) {
    if (prepared->state == Prepared::State::sent) {
      prepared->state = Prepared::State::absent;
    }
  }
}

}  // namespace repld::apply
