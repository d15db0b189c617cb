#include "apply/change_binding.h"

#include <cstring>

namespace repld::apply {

namespace {

// Columns of one change. Under FULL the old row is whole, so a TOAST value that the new row
// leaves out is taken from there.
class Rows {
 public:
  Rows(const TransactionPart& part, const Change& change) : part_(part), change_(change) {}

  const Value& old_value(size_t column) const { return part_.values[change_.old_first + column]; }

  const Value& new_value(size_t column) const {
    const Value& value = part_.values[change_.new_first + column];
    const bool from_old =
        value.kind == Value::Kind::unchanged && change_.old_tuple == OldTuple::full;
    return from_old ? old_value(column) : value;
  }

  const char* text(const Value& value) const {
    return value.kind == Value::Kind::text ? part_.text(value) : nullptr;
  }

  bool differs(size_t column) const {
    const char* before = text(old_value(column));
    const char* after = text(new_value(column));
    if (before == nullptr || after == nullptr) {
      return before != after;
    }
    return std::strcmp(before, after) != 0;
  }

 private:
  const TransactionPart& part_;
  const Change& change_;
};

UpdateShape shape_of(const MappedRelation& relation, const Change& change, const Rows& rows) {
  UpdateShape shape;
  shape.old_row = change.old_tuple != OldTuple::none;
  for (size_t i = 0; i < relation.mapping.columns.size(); ++i) {
    const bool known = rows.new_value(i).kind != Value::Kind::unchanged;
    shape.known.push_back(known);
    // A key that moved under the other identity columns still finds its row by the old values.
    if (relation.mapping.columns[i].key && shape.old_row && known && rows.differs(i)) {
      shape.moved.resize(relation.mapping.columns.size());
      shape.moved[i] = true;
    }
  }
  return shape;
}

void bind_truncate(SchemaMap& schema, const Truncate& truncate, BoundChange& bound) {
  std::vector<std::string> targets;
  for (const RelationPtr& relation : truncate.relations) {
    const MappedRelation& mapped = schema.find(relation);
    if (mapped.truncate_target.empty()) {
      throw Error(ErrorKind::schema, fmt::format("TRUNCATE of partition \"{}\" cannot be applied",
                                                 relation->full_name()))
          .detail("the target divides \"{}\" in another way", mapped.table.full())
          .hint("Give the target a partition of the same name and bounds, then run replctl resume.")
          .table(relation->full_name());
    }
    targets.push_back(mapped.truncate_target);
  }
  bound.sql = truncate_statement(targets, truncate.restart_identity);
}

}  // namespace

void bind(SchemaMap& schema, const TransactionPart& part, const Change& change,
          Strictness strictness, BoundChange& bound) {
  bound.relation = nullptr;
  bound.prepared = nullptr;
  bound.values.clear();
  bound.bytes = 0;
  if (change.kind == ChangeKind::truncate) {
    bind_truncate(schema, part.truncates[change.truncate], bound);
    return;
  }
  MappedRelation& relation = schema.find(change.relation);
  const Rows rows(part, change);
  bound.relation = &relation;
  switch (change.kind) {
    case ChangeKind::insert: bound.prepared = &schema.insert(relation, strictness); break;
    case ChangeKind::remove: bound.prepared = &schema.remove(relation, strictness); break;
    case ChangeKind::update:
      bound.prepared = &schema.update(relation, shape_of(relation, change, rows), strictness);
      break;
    case ChangeKind::truncate: break;
  }
  for (const Statement::Parameter& parameter : bound.prepared->statement.parameters) {
    const Value& value =
        parameter.old_row ? rows.old_value(parameter.column) : rows.new_value(parameter.column);
    bound.values.push_back(rows.text(value));
    bound.bytes += value.length;
  }
}

}  // namespace repld::apply
