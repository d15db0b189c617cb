#include "sim/tables.h"

#include "core/error.h"

namespace repld::sim {

namespace {

constexpr uint32_t kFirstOid = 16401;

struct ColumnSpec {
  const char* name;
  bool identity = false;  // of the source's replica identity
  bool key = false;       // of the target's mapping
};

TableSpec make(const char* name, ReplicaIdentity identity, const std::vector<ColumnSpec>& columns) {
  TableSpec spec;
  spec.name = {"public", name};
  spec.relation.schema = "public";
  spec.relation.name = name;
  spec.relation.identity = identity;
  spec.mapping.target = std::string("\"public\".\"") + name + "\"";
  for (const ColumnSpec& column : columns) {
    spec.relation.columns.push_back({column.name, 25, -1, column.identity});
    MappedColumn mapped;
    mapped.name = column.name;
    mapped.type = "text";
    mapped.equality = "=";
    mapped.key = column.key;
    spec.mapping.columns.push_back(std::move(mapped));
  }
  return spec;
}

std::array<TableSpec, kTables> make_all() {
  std::array<TableSpec, kTables> specs;
  specs[kClients] = make("clients", ReplicaIdentity::by_default,
                         {{"id", true, true}, {"name"}, {"email"}, {"bio"}});
  specs[kClients].unique = 2;
  specs[kClients].toast = 3;
  specs[kEvents] =
      make("events", ReplicaIdentity::full, {{"what", true, false}, {"place", true, false}});
  specs[kDocs] = make("docs", ReplicaIdentity::full,
                      {{"id", true, true}, {"title", true, false}, {"body", true, false}});
  specs[kDocs].toast = 2;
  specs[kSeats] = make("seats", ReplicaIdentity::index,
                       {{"room", true, true}, {"seat", true, true}, {"guest"}, {"note"}});
  specs[kSeats].toast = 3;
  return specs;
}

Leaf leaf_of_table(size_t table, const std::string& suffix, const std::vector<size_t>& columns) {
  const TableSpec& spec = table_specs()[table];
  Leaf leaf{table, spec.relation, spec.mapping, columns};
  leaf.relation.name += suffix;
  leaf.mapping.partitioned = !suffix.empty();
  for (size_t i = 0; i < columns.size(); ++i) {
    leaf.relation.columns[i] = spec.relation.columns[columns[i]];
    leaf.mapping.columns[i] = spec.mapping.columns[columns[i]];
  }
  return leaf;
}

std::vector<Leaf> make_leaves() {
  std::vector<Leaf> list = {leaf_of_table(kClients, "", {0, 1, 2, 3}),
                            leaf_of_table(kEvents, "", {0, 1}), leaf_of_table(kDocs, "", {0, 1, 2}),
                            leaf_of_table(kSeats, "_0", {0, 1, 2, 3}),
                            leaf_of_table(kSeats, "_1", {3, 1, 0, 2})};
  for (size_t i = 0; i < list.size(); ++i) {
    list[i].relation.oid = kFirstOid + static_cast<uint32_t>(i);
  }
  return list;
}

}  // namespace

const std::vector<Leaf>& leaves() {
  static const std::vector<Leaf> list = make_leaves();
  return list;
}

size_t leaf_of_oid(uint32_t oid) {
  REPLD_ASSERT(oid >= kFirstOid && oid < kFirstOid + leaves().size());
  return oid - kFirstOid;
}

size_t leaf_of(size_t table, const std::string& identity) {
  return table == kSeats && identity.front() == '1' ? table + 1 : table;
}

const std::array<TableSpec, kTables>& table_specs() {
  static const std::array<TableSpec, kTables> specs = make_all();
  return specs;
}

bool out_of_line(const TableSpec& spec, size_t column, const Text& value) {
  return spec.toast == column && value && value->starts_with("long");
}

std::string identity_of(const TableSpec& spec, const Row& row) {
  std::string identity;
  const bool keyed = spec.mapping.keyed();
  for (size_t i = 0; i < row.size(); ++i) {
    if (!keyed || spec.mapping.columns[i].key) {
      identity += identity.empty() ? "" : "|";
      identity += row[i].value_or("null");
    }
  }
  return identity;
}

std::string show(const Row& row) {
  std::string shown = "(";
  for (size_t i = 0; i < row.size(); ++i) {
    shown += (i == 0 ? "" : ", ") + row[i].value_or("null");
  }
  return shown + ")";
}

Database::Database() {
  for (auto& table : tables_) {
    table = std::make_shared<Rows>();
  }
}

Rows& Database::edit(size_t table) {
  std::shared_ptr<Rows>& rows = tables_[table];
  if (rows.use_count() > 1) {
    rows = std::make_shared<Rows>(*rows);
  }
  return *rows;
}

const Row* Database::find(size_t table, const std::string& identity) const {
  const auto found = tables_[table]->find(identity);
  return found == tables_[table]->end() ? nullptr : &found->second.row;
}

void Database::add(size_t table, const Row& row) {
  const auto [entry, fresh] =
      edit(table).try_emplace(identity_of(table_specs()[table], row), Entry{row, 1});
  if (!fresh) {
    REPLD_ASSERT(!table_specs()[table].mapping.keyed());
    ++entry->second.count;
  }
}

void Database::remove(size_t table, const std::string& identity) {
  Rows& rows = edit(table);
  const auto found = rows.find(identity);
  REPLD_ASSERT(found != rows.end());
  if (--found->second.count == 0) {
    rows.erase(found);
  }
}

void Database::truncate(size_t leaf) {
  const size_t table = leaves()[leaf].table;
  std::erase_if(edit(table),
                [&](const auto& entry) { return leaf_of(table, entry.first) == leaf; });
}

bool Database::taken(size_t table, const Row& row, const std::string& except) const {
  const std::optional<size_t> unique = table_specs()[table].unique;
  if (!unique || !row[*unique]) {
    return false;
  }
  for (const auto& [identity, entry] : rows(table)) {
    if (identity != except && entry.row[*unique] == row[*unique]) {
      return true;
    }
  }
  return false;
}

}  // namespace repld::sim
