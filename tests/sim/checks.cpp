#include "sim/checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace repld::sim {

namespace {

// Transactions behind one position, up to another.
struct Span {
  size_t first = 0;
  size_t end = 0;
};

const Touch* first_touch(const FakeSource& source, Span span, size_t table,
                         const std::string& identity) {
  for (size_t i = span.first; i < span.end; ++i) {
    for (const Touch& touch : source.history()[i].touches) {
      if (touch.leaf == leaf_of(table, identity) &&
          (touch.identity.empty() || touch.identity == identity)) {
        return &touch;
      }
    }
  }
  return nullptr;
}

const Entry* entry_of(const Database& tables, size_t table, const std::string& identity) {
  const Rows& rows = tables.rows(table);
  const auto found = rows.find(identity);
  return found == rows.end() ? nullptr : &found->second;
}

bool equal(const Entry* left, const Entry* right) {
  return left == nullptr || right == nullptr ? left == right : *left == *right;
}

std::string show_entry(const Entry* entry) {
  return entry == nullptr ? "no row" : fmt::format("{} x {}", show(entry->row), entry->count);
}

[[noreturn]] void differ(const char* what, size_t table, const std::string& identity,
                         const Entry* expected, const Entry* actual) {
  throw Broken(fmt::format("{}: {} {}: the source had {}, the target has {}", what,
                           table_specs()[table].name.name, identity, show_entry(expected),
                           show_entry(actual)));
}

void compare(const Database& expected, const TargetState& state) {
  for (size_t table = 0; table < kTables; ++table) {
    const Rows& left = expected.rows(table);
    const Rows& right = state.tables.rows(table);
    if (left == right) {
      continue;
    }
    const auto look_at = [&](const std::string& identity) {
      const Entry* before = entry_of(expected, table, identity);
      const Entry* after = entry_of(state.tables, table, identity);
      const RowPlace place{table, identity};
      const bool excused = state.drift.count(place) > 0 || state.refetch.count(place) > 0;
      if (!equal(before, after) && !excused) {
        differ("the target is not the prefix that its progress names", table, identity, before,
               after);
      }
    };
    for (const auto& [identity, entry] : left) {
      look_at(identity);
    }
    for (const auto& [identity, entry] : right) {
      look_at(identity);
    }
  }
}

struct Found {
  int64_t least = 0;
  int64_t most = 0;
};

// Settles one record; true when it is gone.
bool settle(const FakeSource& source, Span span, const DriftRecords::value_type& record,
            const Database& expected, const TargetState& actual, Found& found) {
  const auto& [table, identity] = record.first;
  const Entry* due = entry_of(expected, table, identity);
  const Entry* there = entry_of(actual.tables, table, identity);
  const Touch* touch = first_touch(source, span, table, identity);
  const bool changed = touch != nullptr && !touch->identity.empty();
  // A row that was expected is missed by whatever changes it. One that was not is seen only when
  // it stays: an INSERT and DELETE in one batch fold to nothing.
  const bool seen = changed && (record.second == DriftKind::missing || due != nullptr);
  // Nor is it counted when an UPDATE of another row that is missing puts its own in its place.
  const bool counted = record.second == DriftKind::missing || (changed && touch->inserted);
  found.least += seen && counted ? 1 : 0;
  found.most += changed ? 1 : 0;
  if (equal(due, there)) {
    return true;
  }
  if (seen && actual.refetch.count(record.first) == 0) {
    differ("drift was not mended", table, identity, due, there);
  }
  return false;
}

}  // namespace

void check_commit(const FakeSource& source, TargetCommit& commit) {
  const Span span{source.count_until(commit.before.progress),
                  source.count_until(commit.after.progress)};
  if (commit.after.progress < commit.before.progress) {
    throw Broken(fmt::format("progress went back from {} to {}", to_string(commit.before.progress),
                             to_string(commit.after.progress)));
  }
  if (commit.after.progress > source.insert_lsn()) {
    throw Broken(
        fmt::format("progress {} is ahead of the source", to_string(commit.after.progress)));
  }
  const Database& expected = source.after(span.end);
  Found missing;
  Found unexpected;
  DriftRecords& records = commit.after.drift;
  for (auto record = records.begin(); record != records.end();) {
    Found& found = record->second == DriftKind::missing ? missing : unexpected;
    const bool gone = settle(source, span, *record, expected, commit.after, found);
    record = gone ? records.erase(record) : std::next(record);
  }
  compare(expected, commit.after);
  // Each change of a row that is queued misses it again, also in the batch that queues it.
  if (!commit.before.refetch.empty() || !commit.after.refetch.empty()) {
    missing.most = std::numeric_limits<int64_t>::max();
  }
  const apply::Drift& mended = commit.mended;
  const auto fits = [](int64_t count, const Found& found) {
    return count >= found.least && count <= found.most;
  };
  if (commit.ours && !(fits(mended.missing, missing) && fits(mended.unexpected, unexpected))) {
    throw Broken(fmt::format("drift found: {} missing, {} unexpected; put in: {} and {}",
                             mended.missing, mended.unexpected, missing.least, unexpected.least));
  }
  for (const auto& [table, identity] : commit.after.refetch) {
    if (!equal(entry_of(expected, table, identity),
               entry_of(commit.after.tables, table, identity))) {
      records.try_emplace({table, identity}, DriftKind::missing);
    }
  }
}

bool may_be_refused(const FakeSource& source, const TargetState& state) {
  const size_t next = source.count_until(state.progress);
  if (next >= source.history().size()) {
    return false;
  }
  if (!source.history()[next].poison.empty()) {
    return true;
  }
  return std::any_of(state.drift.begin(), state.drift.end(), [&](const auto& record) {
    return first_touch(source, {next, next + 1}, record.first.first, record.first.second) !=
           nullptr;
  });
}

std::string inject_drift(const FakeSource& source, DriftKind kind, Random& random,
                         TargetState& state) {
  const Database& expected = source.after(source.count_until(state.progress));
  for (int attempt = 0; attempt < 5; ++attempt) {
    const size_t tables[] = {kClients, kDocs, kSeats};
    const size_t table = tables[random.below(3)];
    Row row;
    if (kind == DriftKind::missing) {
      const Rows& rows = expected.rows(table);
      if (rows.empty()) {
        continue;
      }
      row = std::next(rows.begin(), static_cast<int64_t>(random.below(rows.size())))->second.row;
    } else {
      row =
          table == kClients ? Row{std::to_string(random.below(8)), "drift", {}, {}}
          : table == kDocs
              ? Row{std::to_string(random.below(6)), "drift", {}}
              : Row{std::to_string(random.below(2)), std::to_string(random.below(4)), "drift", {}};
    }
    const std::string identity = identity_of(table_specs()[table], row);
    const bool there = state.tables.find(table, identity) != nullptr;
    const bool due = expected.find(table, identity) != nullptr;
    if (there != due || due != (kind == DriftKind::missing)) {
      continue;
    }
    if (kind == DriftKind::missing) {
      state.tables.remove(table, identity);
    } else {
      state.tables.add(table, row);
    }
    state.drift[{table, identity}] = kind;
    return table_specs()[table].name.name + " " + identity;
  }
  return "";
}

std::vector<std::string> refetch(const FakeSource& source, TargetState& state) {
  std::vector<std::string> values;
  const Database& expected = source.after(source.count_until(state.progress));
  for (const auto& [table, identity] : state.refetch) {
    if (state.tables.find(table, identity) != nullptr) {
      state.tables.remove(table, identity);
    }
    if (const Row* row = expected.find(table, identity)) {
      state.tables.add(table, *row);
      for (const Text& value : *row) {
        values.push_back(value.value_or(""));
      }
    }
    state.drift.erase({table, identity});
  }
  state.refetch.clear();
  return values;
}

void repair_drift(const FakeSource& source, TargetState& state) {
  state.tables = source.after(source.count_until(state.progress));
  state.drift.clear();
  state.refetch.clear();
}

}  // namespace repld::sim
