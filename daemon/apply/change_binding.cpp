#include "apply/change_binding.h"

#include <algorithm>
#include <map>
#include <set>

#include "core/row_view.h"

namespace repld::apply {

namespace {

UpdateShape shape_of(const MappedRelation& relation, const Change& change, const RowView& row) {
  UpdateShape shape;
  shape.old_row = change.old_tuple != OldTuple::none;
  for (size_t i = 0; i < relation.mapping.columns.size(); ++i) {
    const bool known = row.new_value(i).kind != Value::Kind::unchanged;
    shape.known.push_back(known);
    // A key that moved under the other identity columns still finds its row by the old values.
    if (relation.mapping.columns[i].key && shape.old_row && known && row.differs(i)) {
      shape.moved.resize(relation.mapping.columns.size());
      shape.moved[i] = true;
    }
  }
  return shape;
}

// The server truncates no table whose constraints still wait for the commit. On the source none
// did, so these hold now. A table that the target divides otherwise can be emptied as a whole only.
void bind_truncate(SchemaMap& schema, const Truncate& truncate, BoundChange& bound) {
  std::vector<std::string> targets;
  std::set<std::string> pending;
  std::set<std::string> whole;
  for (const RelationPtr& relation : truncate.relations) {
    const MappedRelation& mapped = schema.find(relation);
    if (whole.count(mapped.mapping.target) > 0) {
      continue;
    }
    if (mapped.truncate_target.empty()) {
      schema.require_truncatable(truncate, mapped);
      whole.insert(mapped.mapping.target);
      targets.push_back((mapped.mapping.partitioned ? "" : "only ") + mapped.mapping.target);
      pending.insert(mapped.deferrable.begin(), mapped.deferrable.end());
      continue;
    }
    targets.push_back(mapped.truncate_target);
    pending.insert(mapped.deferrable.begin(), mapped.deferrable.end());
  }
  const std::string truncating = truncate_statement(targets, truncate.restart_identity);
  if (pending.empty()) {
    bound.plain = {truncating};
  } else {
    const std::string names = fmt::format("{}", fmt::join(pending, ", "));
    bound.plain = {fmt::format("set constraints {} immediate", names), truncating,
                   fmt::format("set constraints {} deferred", names)};
  }
}

UpdateShape shape_of(const RowSet& rows) {
  UpdateShape shape;
  shape.known = rows.known;
  return shape;
}

Prepared& prepared_for(SchemaMap& schema, MappedRelation& relation, const RowSet& rows) {
  switch (rows.kind) {
    case ChangeKind::insert: return schema.insert(relation, Strictness::exact);
    case ChangeKind::remove: return schema.remove(relation, Strictness::exact);
    default: return schema.update(relation, shape_of(rows), Strictness::exact);
  }
}

}  // namespace

void bind(SchemaMap& schema, const TransactionPart& part, const Change& change,
          Strictness strictness, BoundChange& bound) {
  bound.relation = nullptr;
  bound.prepared = nullptr;
  bound.unnamed = nullptr;
  bound.plain.clear();
  bound.values.clear();
  bound.bytes = 0;
  if (change.kind == ChangeKind::truncate) {
    bind_truncate(schema, part.truncates[change.truncate], bound);
    return;
  }
  MappedRelation& relation = schema.find(change.relation);
  const RowView row(part, change);
  bound.relation = &relation;
  switch (change.kind) {
    case ChangeKind::insert: bound.prepared = &schema.insert(relation, strictness); break;
    case ChangeKind::remove: bound.prepared = &schema.remove(relation, strictness); break;
    case ChangeKind::update:
      bound.prepared = &schema.update(relation, shape_of(relation, change, row), strictness);
      break;
    case ChangeKind::truncate: break;
  }
  for (const Statement::Parameter& parameter : bound.prepared->statement.parameters) {
    const Value& value =
        parameter.old_row ? row.old_value(parameter.column) : row.new_value(parameter.column);
    bound.values.push_back(row.text(value));
    bound.bytes += value.length;
  }
}

// A single row needs no array, and its statement is the cheaper one. A set is planned each time: a
// plan that is kept for any number of rows was seen to read the table once for each.
void bind_set(SchemaMap& schema, const RowSet& rows, BoundChange& bound) {
  MappedRelation& relation = schema.find(rows.relation);
  bound.relation = &relation;
  bound.prepared = nullptr;
  bound.unnamed = nullptr;
  bound.plain.clear();
  bound.values.clear();
  if (rows.rows.size() == 1) {
    bound.prepared = &prepared_for(schema, relation, rows);
    bound.bytes = rows.bytes;
    for (const Statement::Parameter& parameter : bound.prepared->statement.parameters) {
      bound.values.push_back(rows.rows.front()[parameter.column].text);
    }
    return;
  }
  const Statement& statement = schema.set(relation, rows);
  bound.unnamed = &statement.sql;
  bound.bytes = statement.sql.size();
  bound.arrays.resize(std::max(bound.arrays.size(), statement.parameters.size()));
  for (size_t i = 0; i < statement.parameters.size(); ++i) {
    ArrayText& array = bound.arrays[i];
    array.clear();
    for (const Field* row : rows.rows) {
      const Field& field = row[statement.parameters[i].column];
      array.add(field.text, field.length);
    }
    bound.values.push_back(array.finish());
    bound.bytes += array.size();
  }
  bound.due = std::to_string(rows.rows.size());
  bound.values.push_back(bound.due.c_str());
}

void bind_names(SchemaMap& schema, std::span<const TransactionPart> parts, BoundChange& bound) {
  std::map<uint32_t, const TableName*> tables;
  const auto add = [&](const RelationPtr& relation) {
    const MappedRelation& mapped = schema.find(relation);
    tables.emplace(mapped.target_oid, &mapped.called);
  };
  for (const TransactionPart& part : parts) {
    const Relation* last = nullptr;
    for (const Change& change : part.changes) {
      if (change.relation && change.relation.get() != last) {
        add(change.relation);
        last = change.relation.get();
      }
    }
    for (const Truncate& truncate : part.truncates) {
      std::for_each(truncate.relations.begin(), truncate.relations.end(), add);
    }
  }
  bound.relation = nullptr;
  bound.prepared = tables.empty() ? nullptr : &schema.names();
  bound.unnamed = nullptr;
  bound.plain.clear();
  bound.values.clear();
  bound.arrays.resize(std::max<size_t>(bound.arrays.size(), 3));
  const std::span<ArrayText> arrays(bound.arrays.data(), 3);
  const auto put = [](ArrayText& array, const std::string& text) {
    array.add(text.c_str(), static_cast<uint32_t>(text.size()));
  };
  std::for_each(arrays.begin(), arrays.end(), [](ArrayText& array) { array.clear(); });
  for (const auto& [oid, name] : tables) {
    put(arrays[0], std::to_string(oid));
    put(arrays[1], name->schema);
    put(arrays[2], name->name);
  }
  bound.bytes = 0;
  for (ArrayText& array : arrays) {
    bound.values.push_back(array.finish());
    bound.bytes += array.size();
  }
}

}  // namespace repld::apply
