#include "sim/source_changes.h"

#include <fmt/format.h>

#include "core/transaction.h"
#include "fuzz/pgoutput_writer.h"

namespace repld::sim {

namespace {

pgoutput::Column column_of(const Text& value) {
  return value ? pgoutput::Column{Value::Kind::text, *value}
               : pgoutput::Column{Value::Kind::null, {}};
}

// The old row as the replica identity sends it.
pgoutput::OldRow old_row_of(const Leaf& leaf, const Row& row) {
  pgoutput::OldRow old_row;
  const bool full = leaf.relation.identity == ReplicaIdentity::full;
  old_row.kind = full ? pgoutput::OldRow::Kind::full : pgoutput::OldRow::Kind::key;
  for (size_t i = 0; i < leaf.columns.size(); ++i) {
    const bool sent = leaf.relation.columns[i].key;
    old_row.tuple.push_back(sent ? column_of(row[leaf.columns[i]]) : pgoutput::Column{});
  }
  return old_row;
}

const Leaf& leaf_of_row(size_t table, const Row& row) {
  return leaves()[leaf_of(table, identity_of(table_specs()[table], row))];
}

bool identity_differs(const TableSpec& spec, const Row& left, const Row& right) {
  for (size_t i = 0; i < left.size(); ++i) {
    if (spec.relation.columns[i].key && left[i] != right[i]) {
      return true;
    }
  }
  return false;
}

}  // namespace

void ChangeMaker::send(const Leaf& leaf, const pgoutput::Message& message, std::string shown) {
  ++it_.rows;
  it_.changes.push_back({{leaf.relation.oid}, fuzz::write_message(message, false)});
  it_.shown.push_back(std::move(shown));
}

void ChangeMaker::touch(size_t table, const Row& row, bool inserted) {
  const std::string identity = identity_of(table_specs()[table], row);
  it_.touches.push_back({table, leaf_of(table, identity), identity, inserted});
}

void ChangeMaker::insert(size_t table, const Row& row) {
  const Leaf& leaf = leaf_of_row(table, row);
  pgoutput::Insert message{leaf.relation.oid, {}};
  for (const size_t column : leaf.columns) {
    message.new_row.push_back(column_of(row[column]));
  }
  send(leaf, message, fmt::format("insert {} {}", leaf.relation.name, show(row)));
  it_.after.add(table, row);
  touch(table, row, true);
}

// One that moves a row to another partition streams as DELETE and INSERT.
void ChangeMaker::update(size_t table, const Row& old_row, const Row& row) {
  const TableSpec& spec = table_specs()[table];
  const Leaf& leaf = leaf_of_row(table, row);
  if (&leaf != &leaf_of_row(table, old_row)) {
    remove(table, old_row);
    insert(table, row);
    return;
  }
  pgoutput::Update message{leaf.relation.oid, {}, {}};
  if (spec.full() || identity_differs(spec, old_row, row)) {
    message.old_row = old_row_of(leaf, old_row);
  }
  std::string omitted;
  for (const size_t i : leaf.columns) {
    if (row[i] == old_row[i] && out_of_line(spec, i, row[i])) {
      message.new_row.push_back({Value::Kind::unchanged, {}});
      omitted = " without " + spec.relation.columns[i].name;
    } else {
      message.new_row.push_back(column_of(row[i]));
    }
  }
  send(leaf, message,
       fmt::format("update {} {} to {}{}", leaf.relation.name, show(old_row), show(row), omitted));
  it_.after.remove(table, identity_of(spec, old_row));
  it_.after.add(table, row);
  touch(table, old_row, false);
  touch(table, row, false);
}

void ChangeMaker::remove(size_t table, const Row& row) {
  const Leaf& leaf = leaf_of_row(table, row);
  send(leaf, pgoutput::Delete{leaf.relation.oid, old_row_of(leaf, row)},
       fmt::format("delete {} {}", leaf.relation.name, show(row)));
  it_.after.remove(table, identity_of(table_specs()[table], row));
  touch(table, row, false);
}

void ChangeMaker::truncate(const std::vector<size_t>& truncated) {
  pgoutput::Truncate message;
  SourceTransaction::Payload payload;
  std::string shown = "truncate";
  for (const size_t leaf : truncated) {
    message.relation_oids.push_back(leaves()[leaf].relation.oid);
    shown += " " + leaves()[leaf].relation.name;
    it_.after.truncate(leaf);
    it_.touches.push_back({leaves()[leaf].table, leaf, "", false});
  }
  payload.oids = message.relation_oids;
  payload.bytes = fuzz::write_message(message, false);
  it_.changes.push_back(std::move(payload));
  it_.shown.push_back(std::move(shown));
}

void ChangeMaker::say_marker() {
  const pgoutput::LogicalMessage message{true, Lsn{1}, kMessagePrefix, "nonce"};
  it_.changes.push_back({{}, fuzz::write_message(message, false)});
  it_.shown.emplace_back("marker");
}

std::optional<Row> ChangeMaker::some_row(size_t table) {
  const Rows& rows = it_.after.rows(table);
  if (rows.empty()) {
    return std::nullopt;
  }
  return std::next(rows.begin(), static_cast<int64_t>(random_.below(rows.size())))->second.row;
}

Row ChangeMaker::made_up(size_t table) {
  const auto number = [&](uint64_t bound) { return std::to_string(random_.below(bound)); };
  switch (table) {
    case kClients: {
      Row row = {number(8), "name" + number(50), {}, {}};
      change_columns(table, row);
      return row;
    }
    case kEvents: return {"what" + number(3), random_.chance(30) ? Text() : "place" + number(2)};
    case kDocs:
      return {number(6), "title" + number(50), random_.chance(50) ? "long" + number(90) : "s"};
    default: return {number(2), number(4), "guest" + number(50), "long" + number(90)};
  }
}

void ChangeMaker::change_columns(size_t table, Row& row) {
  const auto number = [&](uint64_t bound) { return std::to_string(random_.below(bound)); };
  switch (table) {
    case kClients:
      if (random_.chance(60)) row[1] = "name" + number(50);
      if (random_.chance(40)) row[2] = random_.chance(20) ? Text() : "mail" + number(6);
      if (random_.chance(30)) row[3] = (random_.chance(70) ? "long" : "short") + number(90);
      break;
    case kEvents: row[random_.below(2)] = "moved" + number(3); break;
    case kDocs:
      if (random_.chance(70)) row[1] = "title" + number(50);
      if (random_.chance(30)) row[2] = (random_.chance(70) ? "long" : "short") + number(90);
      break;
    default:
      if (random_.chance(70)) row[2] = "guest" + number(50);
      if (random_.chance(30)) row[3] = "long" + number(90);
  }
}

void ChangeMaker::insert_some(size_t table) {
  Row row = made_up(table);
  const std::string identity = identity_of(table_specs()[table], row);
  const bool there = it_.after.find(table, identity) != nullptr;
  if (there && table_specs()[table].mapping.keyed()) {
    update_some(table);
    return;
  }
  if (it_.after.taken(table, row, identity)) {
    row[*table_specs()[table].unique] = std::nullopt;
  }
  insert(table, row);
}

void ChangeMaker::update_some(size_t table) {
  const std::optional<Row> old_row = some_row(table);
  if (!old_row) {
    return;
  }
  Row row = *old_row;
  change_columns(table, row);
  if (it_.after.taken(table, row, identity_of(table_specs()[table], *old_row))) {
    row[*table_specs()[table].unique] = (*old_row)[*table_specs()[table].unique];
  }
  update(table, *old_row, row);
}

void ChangeMaker::move_key(size_t table) {
  const std::optional<Row> old_row = some_row(table);
  if (!old_row || !table_specs()[table].mapping.keyed()) {
    return;
  }
  Row row = *old_row;
  row[0] = std::to_string(random_.below(table == kSeats ? 2 : 8));
  if (table == kSeats) {
    row[1] = std::to_string(random_.below(4));
  }
  if (random_.chance(30)) {
    change_columns(table, row);
  }
  const bool free = it_.after.find(table, identity_of(table_specs()[table], row)) == nullptr;
  if (free && !it_.after.taken(table, row, identity_of(table_specs()[table], *old_row))) {
    update(table, *old_row, row);
  }
}

// Valid in this order only: one gives its address up, then another takes it.
void ChangeMaker::hand_email_over() {
  const std::optional<Row> giver = some_row(kClients);
  const std::optional<Row> taker = some_row(kClients);
  if (!giver || !taker || *giver == *taker || !(*giver)[2]) {
    return;
  }
  Row without = *giver;
  without[2] = random_.chance(50) ? Text() : "fresh" + std::to_string(random_.below(100'000));
  if (it_.after.taken(kClients, without, *without[0])) {
    return;
  }
  update(kClients, *giver, without);
  Row with = *taker;
  with[2] = (*giver)[2];
  update(kClients, *taker, with);
  if (random_.chance(40) && (*taker)[2]) {
    Row swapped = without;
    swapped[2] = (*taker)[2];
    update(kClients, without, swapped);
  }
}

void ChangeMaker::write_again(size_t table) {
  const std::optional<Row> row = some_row(table);
  if (!row) {
    return;
  }
  remove(table, *row);
  if (random_.chance(60)) {
    Row again = *row;
    change_columns(table, again);
    const std::string identity = identity_of(table_specs()[table], again);
    if (!it_.after.taken(table, again, identity)) {
      insert(table, again);
    }
  }
}

void ChangeMaker::make(size_t changes) {
  while (it_.changes.size() < changes) {
    const size_t before = it_.changes.size();
    const size_t table = random_.below(kTables);
    const uint64_t dice = random_.below(100);
    if (dice < 30) {
      insert_some(table);
    } else if (dice < 62) {
      update_some(table);
    } else if (dice < 74) {
      move_key(table);
    } else if (dice < 84) {
      hand_email_over();
    } else if (dice < 98) {
      write_again(table);
    } else {
      truncate(random_.chance(70) ? std::vector<size_t>{random_.below(leaves().size())}
                                  : std::vector<size_t>{kDocs, kSeats, kSeats + 1});
    }
    if (it_.changes.size() == before) {
      insert_some(table);
    }
  }
}

void ChangeMaker::make_poison(const std::string& value) {
  const std::optional<Row> old_row = some_row(kClients);
  if (old_row && random_.chance(50)) {
    Row row = *old_row;
    row[1] = value;
    update(kClients, *old_row, row);
  } else {
    Row row = {std::to_string(100 + random_.below(1'000'000)), value, {}, {}};
    insert(kClients, row);
  }
  it_.poison.push_back(value);
}

}  // namespace repld::sim
