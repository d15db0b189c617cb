#include "stream/publication.h"

#include <algorithm>
#include <map>

#include "core/publishing.h"
#include "core/sql_text.h"
#include "embedded_sql.h"
#include "stream/replaced.h"
#include "stream/slot.h"

namespace repld::stream {

namespace {

enum class Owner { nobody, us, other };

// Set explicitly on every occasion: defaults are the server's, and ALTER keeps what it finds.
constexpr const char* kOptions =
    "publish = 'insert, update, delete, truncate', publish_via_partition_root = false";

// The application's own DDL may hold a table or the publication.
constexpr const char* kLockTimeout = "set local lock_timeout = '2s'";
constexpr const char* kDuplicateObject = "42710";
constexpr const char* kUniqueViolation = "23505";

Owner owner_of(const pqxx::result& state) {
  if (state.empty()) {
    return Owner::nobody;
  }
  return state[0][0].as<bool>() ? Owner::us : Owner::other;
}

Owner read_owner(pg::Session& source, const PublicationId& id) {
  return owner_of(source.exec_params(std::string(sql::kPublicationState), id.name, id.mark));
}

Error foreign_publication(const std::string& name, bool with_slot) {
  Error error(ErrorKind::refused,
              fmt::format("publication \"{}\" exists, but not for this target", name));
  return error.hint(
      "Another link may use it: choose another link.name. If nothing uses it any more, run on the "
      "source: {}drop publication {}; repld looks again every few seconds.",
      with_slot ? drop_slot_statement(name) + "; " : "", quote_identifier(name));
}

void require_all(const std::vector<std::string>& names, const char* message, const char* hint) {
  if (!names.empty()) {
    throw Error(ErrorKind::schema, message)
        .detail("{}", fmt::join(names, ", "))
        .hint("{} Or list them in tables.exclude; then run replctl resume.", hint)
        .table(names.front());
  }
}

std::string table_list(const std::vector<SourceTable>& tables) {
  std::vector<std::string> entries;
  for (const SourceTable& table : tables) {
    entries.push_back((table.partitioned ? "" : "only ") +
                      quote_qualified(table.name.schema, table.name.name));
  }
  return fmt::format("{}", fmt::join(entries, ", "));
}

struct Entry {
  PublishedTable table;
  bool narrowed = false;  // by a row filter or a column list
  bool partitioned = false;
};

std::vector<Entry> entries_of(const pqxx::result& rows) {
  std::vector<Entry> entries;
  for (const auto& row : rows) {
    entries.push_back(
        {{{row[2].c_str(), row[3].c_str()}, row[0].as<uint32_t>(), row[1].as<uint32_t>()},
         row[4].as<bool>(),
         row[5].as<bool>()});
  }
  return entries;
}

void create(pqxx::transaction_base& transaction, const PublicationId& id,
            const std::string& tables) {
  const std::string name = quote_identifier(id.name);
  transaction.exec(
      fmt::format("create publication {} for table {} with ({})", name, tables, kOptions));
  transaction.exec(fmt::format("comment on publication {} is {}", name, quote_literal(id.mark)));
  // Last: a slot that is there already was made for somebody else.
  if (!transaction.exec_params(std::string(sql::kSlot), id.name).empty()) {
    throw foreign_slot(id.name);
  }
}

// `change`: what follows the name in ALTER PUBLICATION; empty: nothing but the options.
void alter(pqxx::transaction_base& transaction, const PublicationId& id,
           const std::string& change) {
  const std::string name = quote_identifier(id.name);
  transaction.exec(fmt::format("alter publication {} set ({})", name, kOptions));
  if (!change.empty()) {
    transaction.exec(fmt::format("alter publication {} {}", name, change));
  }
  // Only now is it locked; what was altered may have come in between, and is rolled back.
  const auto state = transaction.exec_params(std::string(sql::kPublicationState), id.name, id.mark);
  if (owner_of(state) != Owner::us) {
    throw foreign_publication(id.name, true);
  }
}

std::vector<PublishedTable> listed_tables(pqxx::transaction_base& transaction,
                                          const std::string& name) {
  std::vector<PublishedTable> tables;
  for (const Entry& entry :
       entries_of(transaction.exec_params(std::string(sql::kPublishedTables), name))) {
    tables.push_back(entry.table);
  }
  return tables;
}

bool same_table(const PublishedTable& wanted, const Entry& entry) {
  return wanted.entry != 0 ? wanted.entry == entry.table.entry : wanted.name == entry.table.name;
}

// A table that was dropped for good is missed by nobody.
bool still_there(pg::Session& source, const PublishedTable& table) {
  return !source
              .exec_params(
                  "select from pg_class c join pg_namespace n on n.oid = c.relnamespace "
                  "where c.oid = $1::oid or n.nspname = $2 and c.relname = $3",
                  table.oid, table.name.schema, table.name.name)
              .empty();
}

Error lost(const std::string& message, const std::vector<std::string>& tables) {
  Error error(ErrorKind::slot_lost, message);
  if (!tables.empty()) {
    error.detail("{}", fmt::join(tables, ", ")).table(tables.front());
  } else {
    error.detail("changes may have gone by that the target lacks");
  }
  return error.hint("{}", kCopyAgain);
}

Error not_ours(const PublicationId& id, bool has_comment) {
  Error error = lost(fmt::format("publication \"{}\" is not the one of this link", id.name), {});
  if (!has_comment) {
    error.hint(
        "{} If it is the one, made by an earlier version, say so on the source: comment on "
        "publication {} is {}; then run replctl resume.",
        kCopyAgain, quote_identifier(id.name), quote_literal(id.mark));
  }
  return error;
}

std::optional<Error> table_difference(pg::Session& source, const Published& published) {
  if (const auto replaced = find_replaced(source, published); !replaced.empty()) {
    return replaced_tables(replaced);
  }
  if (const auto silent = find_silent(source, published); !silent.empty()) {
    return silent_partitions(silent);
  }
  const std::string& name = published.id.name;
  const std::vector<Entry> entries =
      entries_of(source.exec_params(std::string(sql::kPublishedTables), name));
  std::vector<std::string> gone;
  std::vector<std::string> narrowed;
  for (const PublishedTable& table : published.tables) {
    const auto found = std::find_if(entries.begin(), entries.end(),
                                    [&](const Entry& entry) { return same_table(table, entry); });
    if (found == entries.end() && still_there(source, table)) {
      gone.push_back(table.name.full());
    } else if (found != entries.end() && found->narrowed) {
      narrowed.push_back(table.name.full());
    }
  }
  if (!gone.empty()) {
    return lost(fmt::format("tables left publication \"{}\", if only for a while", name), gone);
  }
  if (!narrowed.empty()) {
    return lost(fmt::format("publication \"{}\" leaves out rows or columns", name), narrowed);
  }
  std::vector<std::string> extra;
  for (const Entry& entry : entries) {
    const auto same = [&](const PublishedTable& table) { return same_table(table, entry); };
    if (std::none_of(published.tables.begin(), published.tables.end(), same) &&
        std::none_of(published.changing.begin(), published.changing.end(), same)) {
      extra.push_back(entry.table.name.full());
    }
  }
  if (!extra.empty()) {
    return Error(ErrorKind::schema,
                 fmt::format("publication \"{}\" has tables that were not copied", name))
        .detail("{}", fmt::join(extra, ", "))
        .hint("Run ALTER PUBLICATION {} DROP TABLE .. on the source, then replctl resume.",
              quote_identifier(name))
        .table(extra.front());
  }
  return std::nullopt;
}

}  // namespace

PublicationId publication_id(const std::string& name, const std::string& link,
                             const std::string& nonce) {
  return {name, nonce.empty() ? "" : fmt::format("repld link {}, target {}", link, nonce)};
}

void require_publishable(const std::vector<SourceTable>& tables) {
  std::map<Obstacle, std::vector<std::string>> names;
  for (const Unpublishable& each : unpublishable(tables)) {
    names[each.obstacle].push_back(each.table.full());
  }
  require_all(names[Obstacle::no_wal],
              "partitions whose changes do not stream: unlogged or foreign tables",
              "Changes to them are not in the source's WAL. ALTER TABLE .. SET LOGGED, or detach "
              "them.");
  require_all(names[Obstacle::no_identity], "tables without a usable replica identity",
              "Publishing them would make the application's own UPDATE and DELETE fail. Add a "
              "primary key, or ALTER TABLE .. REPLICA IDENTITY USING INDEX, or FULL (from "
              "PostgreSQL 18 on not with generated columns).");
  require_all(names[Obstacle::no_root_key], "partitioned tables without a primary key",
              "A partition made later would be published at once and have no replica identity, so "
              "that the application's own UPDATE and DELETE on it would fail. Add a primary key "
              "to the partitioned table, which its partitions inherit.");
  require_all(names[Obstacle::not_owned], "tables that the source's user does not own",
              "Make the user a member of the owning role.");
}

void require_name(pg::Session& source, const PublicationId& id) {
  const std::optional<Slot> slot = read_slot(source, id.name);
  const Owner owner = read_owner(source, id);
  if (owner == Owner::other) {
    throw foreign_publication(id.name, slot.has_value());
  }
  if (slot && (owner != Owner::us || !slot->here)) {
    throw foreign_slot(id.name);
  }
}

std::vector<PublishedTable> publish(pg::Session& source, const PublicationId& id,
                                    const std::vector<SourceTable>& tables) {
  REPLD_ASSERT(!id.mark.empty());
  require_publishable(tables);
  const std::string list = table_list(tables);
  try {
    return source.transact([&](pqxx::transaction_base& transaction) {
      const auto state =
          transaction.exec_params(std::string(sql::kPublicationState), id.name, id.mark);
      switch (owner_of(state)) {
        case Owner::nobody: create(transaction, id, list); break;
        case Owner::us: alter(transaction, id, "set table " + list); break;
        case Owner::other: throw foreign_publication(id.name, true);
      }
      return listed_tables(transaction, id.name);
    });
  } catch (const Error& error) {
    if (error.sqlstate() == kDuplicateObject || error.sqlstate() == kUniqueViolation) {
      require_name(source, id);
    }
    throw;
  }
}

std::vector<PublishedTable> add_tables(pg::Session& source, const PublicationId& id,
                                       const std::vector<SourceTable>& tables) {
  require_publishable(tables);
  return source.transact([&](pqxx::transaction_base& transaction) {
    transaction.exec(kLockTimeout);
    std::vector<SourceTable> missing = tables;
    for (const PublishedTable& listed : listed_tables(transaction, id.name)) {
      missing.erase(
          std::remove_if(missing.begin(), missing.end(),
                         [&](const SourceTable& table) { return table.oid == listed.oid; }),
          missing.end());
    }
    if (!missing.empty()) {
      alter(transaction, id, "add table " + table_list(missing));
    }
    return listed_tables(transaction, id.name);
  });
}

void drop_tables(pg::Session& source, const PublicationId& id,
                 const std::vector<PublishedTable>& tables) {
  source.transact([&](pqxx::transaction_base& transaction) {
    transaction.exec(kLockTimeout);
    std::vector<std::string> listed;
    for (const Entry& entry :
         entries_of(transaction.exec_params(std::string(sql::kPublishedTables), id.name))) {
      if (std::any_of(tables.begin(), tables.end(),
                      [&](const PublishedTable& table) { return same_table(table, entry); })) {
        listed.push_back((entry.partitioned ? "" : "only ") +
                         quote_qualified(entry.table.name.schema, entry.table.name.name));
      }
    }
    if (!listed.empty()) {
      alter(transaction, id, fmt::format("drop table {}", fmt::join(listed, ", ")));
    }
  });
}

void restate(pg::Session& source, const PublicationId& id) {
  source.transact([&](pqxx::transaction_base& transaction) {
    transaction.exec(kLockTimeout);
    alter(transaction, id, "");
  });
}

std::optional<Error> find_difference(pg::Session& source, const Published& published) {
  const PublicationId& id = published.id;
  const auto state = source.exec_params(std::string(sql::kPublicationState), id.name, id.mark);
  if (state.empty()) {
    return lost(fmt::format("publication \"{}\" is gone", id.name), {});
  }
  if (owner_of(state) != Owner::us) {
    return not_ours(id, state[0][1].as<bool>());
  }
  if (!state[0][2].as<bool>()) {
    return lost(fmt::format("publication \"{}\" no longer publishes every change", id.name), {});
  }
  if (auto difference = table_difference(source, published)) {
    return difference;
  }
  if (state[0][3].as<bool>()) {
    return Error(ErrorKind::schema,
                 fmt::format("publication \"{}\" has tables that were not copied", id.name))
        .hint(
            "Run ALTER PUBLICATION {} DROP TABLES IN SCHEMA .. on the source, then replctl "
            "resume.",
            quote_identifier(id.name));
  }
  return std::nullopt;
}

void drop_slot_if_ours(pg::Session& source, const PublicationId& id) {
  const std::optional<Slot> slot = read_slot(source, id.name);
  if (!slot || !slot->here || id.mark.empty()) {
    return;
  }
  switch (read_owner(source, id)) {
    case Owner::us: drop_slot(source, id.name); break;
    case Owner::other: break;
    case Owner::nobody:
      throw Error(ErrorKind::refused,
                  fmt::format("replication slot \"{}\" may be of this link, but its publication is "
                              "gone",
                              id.name))
          .hint("If nothing else uses it, run on the source: {}; then try again.",
                drop_slot_statement(id.name));
  }
}

void drop_publication_if_ours(pg::Session& source, const PublicationId& id) {
  source.transact([&](pqxx::transaction_base& transaction) {
    const auto state =
        transaction.exec_params(std::string(sql::kPublicationState), id.name, id.mark);
    if (owner_of(state) == Owner::us) {
      transaction.exec(fmt::format("drop publication {}", quote_identifier(id.name)));
    }
  });
}

void drop_if_ours(pg::Session& source, const PublicationId& id) {
  drop_slot_if_ours(source, id);
  drop_publication_if_ours(source, id);
}

std::vector<std::string> leftovers(pg::Session& source, const PublicationId& id) {
  std::vector<std::string> left;
  if (read_owner(source, id) == Owner::us) {
    left.push_back("publication " + id.name);
    if (const auto slot = read_slot(source, id.name); slot && slot->here) {
      left.push_back("slot " + id.name);
    }
  }
  return left;
}

}  // namespace repld::stream
