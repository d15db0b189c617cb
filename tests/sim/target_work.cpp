#include "sim/target_work.h"

#include <algorithm>

namespace repld::sim {

namespace {

constexpr const char* kUniqueViolation = "23505";
constexpr const char* kCheckViolation = "23514";
constexpr const char* kRaised = "P0001";
constexpr const char* kNotOneRow = "22012";

Text text_of(const RowView& view, const Value& value) {
  const char* text = view.text(value);
  return text == nullptr ? Text() : Text(std::string(text, value.length));
}

RowWork row_of(const Leaf& leaf, const Change& change, const RowView& view) {
  RowWork work;
  const size_t width = leaf.columns.size();
  Row old_row(width);
  if (change.kind != ChangeKind::remove) {
    work.values.resize(width);
    work.known.resize(width);
  }
  for (size_t i = 0; i < width; ++i) {
    const size_t column = leaf.columns[i];
    if (change.old_tuple != OldTuple::none) {
      old_row[column] = text_of(view, view.old_value(i));
    }
    if (change.kind != ChangeKind::remove) {
      const Value& value = view.new_value(i);
      work.values[column] = text_of(view, value);
      work.known[column] = value.kind != Value::Kind::unchanged;
    }
  }
  const TableSpec& spec = table_specs()[leaf.table];
  work.identity = identity_of(spec, change.old_tuple == OldTuple::none ? work.values : old_row);
  return work;
}

bool complete(const RowWork& row) {
  return std::all_of(row.known.begin(), row.known.end(), [](bool known) { return known; });
}

// Statements on one table.
class TableWorker {
 public:
  TableWorker(size_t table, const std::set<std::string>& allowed, Database& tables)
      : table_(table), spec_(table_specs()[table]), allowed_(allowed), tables_(tables) {}

  bool there(const std::string& identity) const {
    return tables_.find(table_, identity) != nullptr;
  }

  Outcome insert(const RowWork& row) {
    if (const char* sqlstate = refusal(row.values, "")) {
      return {sqlstate, false};
    }
    tables_.add(table_, row.values);
    return {"", true};
  }

  Outcome update(const RowWork& row) {
    const Row* current = tables_.find(table_, row.identity);
    if (current == nullptr) {
      return {"", false};
    }
    Row next = *current;
    for (size_t i = 0; i < next.size(); ++i) {
      if (row.known[i]) {
        next[i] = row.values[i];
      }
    }
    if (const char* sqlstate = refusal(next, row.identity)) {
      return {sqlstate, false};
    }
    tables_.remove(table_, row.identity);
    tables_.add(table_, next);
    return {"", true};
  }

  // INSERT .. ON CONFLICT by key, whole rows.
  Outcome upsert(const RowWork& row) {
    RowWork by_key = row;
    by_key.identity = identity_of(spec_, row.values);
    return spec_.mapping.keyed() && there(by_key.identity) ? update(by_key) : insert(row);
  }

  Outcome remove(const RowWork& row) {
    if (!there(row.identity)) {
      return {"", false};
    }
    tables_.remove(table_, row.identity);
    return {"", true};
  }

  Outcome exact(ChangeKind kind, const RowWork& row) {
    switch (kind) {
      case ChangeKind::insert: return insert(row);
      case ChangeKind::update: return update(row);
      default: return remove(row);
    }
  }

  Outcome mend(ChangeKind kind, const RowWork& row) {
    Outcome outcome;
    outcome.found =
        spec_.mapping.keyed() || kind != ChangeKind::insert ? there(row.identity) : false;
    if (kind == ChangeKind::remove) {
      remove(row);
    } else if (kind == ChangeKind::update && outcome.found) {
      outcome.sqlstate = update(row).sqlstate;
    } else if (!complete(row)) {
      outcome.queued = identity_of(spec_, row.values);
    } else {
      outcome.sqlstate = upsert(row).sqlstate;
    }
    return outcome;
  }

 private:
  // Of a new version of a row that takes the place of `identity`, or of none.
  const char* refusal(const Row& row, const std::string& identity) const {
    const std::string own = identity_of(spec_, row);
    if (spec_.mapping.keyed() && own != identity && there(own)) {
      return kUniqueViolation;
    }
    if (tables_.taken(table_, row, identity)) {
      return kUniqueViolation;
    }
    for (const Text& value : row) {
      if (value && value->starts_with("poison") && allowed_.count(*value) == 0) {
        return value->size() % 2 == 0 ? kCheckViolation : kRaised;
      }
    }
    return nullptr;
  }

  const size_t table_;
  const TableSpec& spec_;
  const std::set<std::string>& allowed_;
  Database& tables_;
};

void shuffle(std::vector<const RowWork*>& rows, Random& random) {
  for (size_t i = rows.size(); i > 1; --i) {
    std::swap(rows[i - 1], rows[random.below(i)]);
  }
}

}  // namespace

Work work_of(const TransactionPart& part, const Change& change, Strictness strictness) {
  Work work;
  work.kind = change.kind;
  work.strictness = strictness;
  if (change.kind == ChangeKind::truncate) {
    for (const RelationPtr& relation : part.truncates[change.truncate].relations) {
      work.truncated.push_back(leaf_of_oid(relation->oid));
    }
    return work;
  }
  const Leaf& leaf = leaves()[leaf_of_oid(change.relation->oid)];
  work.table = leaf.table;
  work.rows.push_back(row_of(leaf, change, RowView(part, change)));
  return work;
}

Work work_of(const RowSet& rows) {
  Work work;
  work.kind = rows.kind;
  const Leaf& leaf = leaves()[leaf_of_oid(rows.relation->oid)];
  work.table = leaf.table;
  const size_t width = leaf.columns.size();
  for (const Field* fields : rows.rows) {
    RowWork row{"", Row(width), std::vector<bool>(width, true)};
    for (size_t i = 0; i < width; ++i) {
      const size_t column = leaf.columns[i];
      if (fields[i].text != nullptr) {
        row.values[column] = std::string(fields[i].text, fields[i].length);
      }
      row.known[column] = rows.kind != ChangeKind::update || rows.known[i];
    }
    row.identity = identity_of(table_specs()[work.table], row.values);
    work.rows.push_back(std::move(row));
  }
  return work;
}

Outcome run(const Work& work, const std::set<std::string>& allowed, Database& tables,
            Random& random) {
  if (work.kind == ChangeKind::truncate) {
    for (const size_t leaf : work.truncated) {
      tables.truncate(leaf);
    }
    return {"", true};
  }
  TableWorker worker(work.table, allowed, tables);
  if (work.strictness == Strictness::mending) {
    return worker.mend(work.kind, work.rows.front());
  }
  std::vector<const RowWork*> rows;
  for (const RowWork& row : work.rows) {
    rows.push_back(&row);
  }
  shuffle(rows, random);
  size_t touched = 0;
  for (const RowWork* row : rows) {
    Outcome outcome = worker.exact(work.kind, *row);
    if (!outcome.sqlstate.empty()) {
      return outcome;
    }
    touched += outcome.found ? 1 : 0;
  }
  return {touched == rows.size() ? "" : kNotOneRow, true};
}

bool may_commit(const Database& tables, const std::set<std::string>& allowed) {
  for (const auto& [identity, entry] : tables.rows(kClients)) {
    const Text& name = entry.row[1];
    if (name && name->starts_with("late") && allowed.count(*name) == 0) {
      return false;
    }
  }
  return true;
}

}  // namespace repld::sim
