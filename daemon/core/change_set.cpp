#include "core/change_set.h"

#include <algorithm>
#include <map>

#include "core/error.h"
#include "core/row_view.h"

namespace repld {

namespace {

// Text of the key, as one string that no other key has.
void append_key(std::string& key, const char* text, uint32_t length) {
  key.append(reinterpret_cast<const char*>(&length), sizeof length);
  key.append(text, length);
}

// A key column that is stored out of line comes as "unchanged" beside the old key.
bool moves_key(const RowMapping& mapping, const Change& change, const RowView& row) {
  if (change.kind != ChangeKind::update || change.old_tuple == OldTuple::none) {
    return false;
  }
  for (size_t i = 0; i < mapping.columns.size(); ++i) {
    const bool known = row.new_value(i).kind != Value::Kind::unchanged;
    if (mapping.columns[i].key && known && row.differs(i)) {
      return true;
    }
  }
  return false;
}

// By which the target finds the row of a change that does not move it.
const Value& key_value(const Change& change, const RowView& row, size_t column) {
  const bool by_old = change.kind == ChangeKind::remove || change.old_tuple != OldTuple::none;
  return by_old ? row.old_value(column) : row.new_value(column);
}

void set_known(Field* fields, const RowView& row, const RowMapping& mapping) {
  for (size_t i = 0; i < mapping.columns.size(); ++i) {
    const Value& value = row.new_value(i);
    if (value.kind != Value::Kind::unchanged) {
      fields[i] = {row.text(value), value.length, true};
    }
  }
}

size_t bytes_of(const Field* fields, size_t count) {
  size_t bytes = 0;
  for (size_t i = 0; i < count; ++i) {
    bytes += fields[i].length;
  }
  return bytes;
}

// Cuts rows that go into one statement by number and bytes.
class Cutter {
 public:
  Cutter(ChangeKind kind, const RelationPtr& relation, std::vector<bool> known, size_t width)
      : width_(width) {
    current_.kind = kind;
    current_.relation = relation;
    current_.known = std::move(known);
  }

  void add(const Field* row, std::vector<ApplyStep>& steps) {
    const size_t bytes = bytes_of(row, width_);
    if (current_.rows.size() >= ChangeSet::kRowsMax ||
        (!current_.rows.empty() && current_.bytes + bytes > ChangeSet::kBytesMax)) {
      finish(steps);
    }
    current_.rows.push_back(row);
    current_.bytes += bytes;
  }

  void finish(std::vector<ApplyStep>& steps) {
    if (current_.rows.empty()) {
      return;
    }
    RowSet next;
    next.kind = current_.kind;
    next.relation = current_.relation;
    next.known = current_.known;
    steps.emplace_back(std::move(current_));
    current_ = std::move(next);
  }

 private:
  const size_t width_;
  RowSet current_;
};

}  // namespace

ChangeSet::ChangeSet(MappingOf mapping_of, KeepsOrder keeps_order)
    : mapping_of_(std::move(mapping_of)), keeps_order_(std::move(keeps_order)) {}

void ChangeSet::add(const TransactionPart& part) {
  const Relation* relation = nullptr;  // of the change before: they come in runs
  const RowMapping* mapping = nullptr;
  bool in_order = false;
  for (size_t i = 0; i < part.changes.size(); ++i) {
    const Change& change = part.changes[i];
    if (change.kind == ChangeKind::truncate) {
      add_truncate(part.truncates[change.truncate], i);
      continue;
    }
    if (change.relation.get() != relation) {
      relation = change.relation.get();
      mapping = &mapping_of_(change.relation);
      in_order = keeps_order_(change.relation);
    }
    if (in_order || !fold(part, change, *mapping)) {
      close(mapping->target);
      steps_.emplace_back(InOrder{parts_, i});
    }
  }
  ++parts_;
}

void ChangeSet::add_truncate(const Truncate& truncate, size_t index) {
  for (const RelationPtr& relation : truncate.relations) {
    close(mapping_of_(relation).target);
  }
  steps_.emplace_back(InOrder{parts_, index});
}

std::vector<ApplyStep> ChangeSet::take() {
  for (Group& group : groups_) {
    emit(group);
  }
  groups_.clear();
  by_target_.clear();
  return std::move(steps_);
}

// False: this change goes alone, after what its table has folded so far.
bool ChangeSet::fold(const TransactionPart& part, const Change& change, const RowMapping& mapping) {
  const RowView row(part, change);
  if (!mapping.keyed()) {
    if (change.kind == ChangeKind::insert) {
      Group& group = group_of(change.relation, mapping);
      group.rows.push_back({false, true, new_fields(mapping.columns.size())});
      set_known(group.rows.back().fields, row, mapping);
      return true;
    }
    return false;
  }
  if (moves_key(mapping, change, row) || !read_key(change, row, mapping)) {
    return false;
  }
  Group& group = group_of(change.relation, mapping);
  const auto [found, fresh] = group.by_key.try_emplace(key_, group.rows.size());
  const bool wants_row = change.kind != ChangeKind::insert;
  if (fresh) {
    group.rows.push_back({wants_row, wants_row, new_fields(mapping.columns.size())});
    for (size_t i = 0; i < mapping.columns.size(); ++i) {
      if (mapping.columns[i].key) {
        const Value& value = key_value(change, row, i);
        group.rows.back().fields[i] = {row.text(value), value.length, true};
      }
    }
  }
  Row& folded = group.rows[found->second];
  if (folded.is_there != wants_row) {
    return false;
  }
  folded.is_there = change.kind != ChangeKind::remove;
  if (folded.is_there) {
    set_known(folded.fields, row, mapping);
  }
  return true;
}

// Into key_. False: a column of it is NULL, which no unique key holds; the server shall say so.
bool ChangeSet::read_key(const Change& change, const RowView& row, const RowMapping& mapping) {
  key_.clear();
  for (size_t i = 0; i < mapping.columns.size(); ++i) {
    if (mapping.columns[i].key) {
      const Value& value = key_value(change, row, i);
      if (value.kind != Value::Kind::text) {
        return false;
      }
      append_key(key_, row.text(value), value.length);
    }
  }
  return true;
}

// A relation of another layout (a partition with its columns in another order) closes what its
// target has folded so far. So does one that changed its shape: a key may print in another way from
// then on, and the row it names would be folded as two.
ChangeSet::Group& ChangeSet::group_of(const RelationPtr& relation, const RowMapping& mapping) {
  const auto found = by_target_.find(mapping.target);
  if (found != by_target_.end()) {
    Group& group = groups_[found->second];
    const auto known = group.members.find(relation->oid);
    if (known != group.members.end() && known->second == relation) {
      return group;
    }
    if (known == group.members.end() && group.mapping->columns == mapping.columns) {
      group.members.emplace(relation->oid, relation);
      return group;
    }
    close(mapping.target);
  }
  by_target_.emplace(mapping.target, groups_.size());
  Group& group = groups_.emplace_back();
  group.mapping = &mapping;
  group.relation = relation;
  group.members.emplace(relation->oid, relation);
  return group;
}

Field* ChangeSet::new_fields(size_t count) {
  Field* fields = std::pmr::polymorphic_allocator<Field>(&memory_).allocate(count);
  std::uninitialized_value_construct_n(fields, count);
  return fields;
}

void ChangeSet::close(const std::string& target) {
  const auto found = by_target_.find(target);
  if (found == by_target_.end()) {
    return;
  }
  emit(groups_[found->second]);
  groups_[found->second] = {};
  by_target_.erase(found);
}

void ChangeSet::emit(const Group& group) {
  if (group.rows.empty()) {
    return;
  }
  const size_t width = group.mapping->columns.size();
  Cutter removals(ChangeKind::remove, group.relation, {}, width);
  Cutter inserts(ChangeKind::insert, group.relation, {}, width);
  std::map<std::vector<bool>, std::vector<const Field*>> updates;
  for (const Row& row : group.rows) {
    if (row.was_there && row.is_there) {
      std::vector<bool> known(width);
      for (size_t i = 0; i < width; ++i) {
        known[i] = row.fields[i].known;
      }
      updates[std::move(known)].push_back(row.fields);
    } else if (row.was_there) {
      removals.add(row.fields, steps_);
    }
  }
  removals.finish(steps_);
  for (const auto& [known, rows] : updates) {
    Cutter cutter(ChangeKind::update, group.relation, known, width);
    for (const Field* row : rows) {
      cutter.add(row, steps_);
    }
    cutter.finish(steps_);
  }
  for (const Row& row : group.rows) {
    if (!row.was_there && row.is_there) {
      inserts.add(row.fields, steps_);
    }
  }
  inserts.finish(steps_);
}

}  // namespace repld
