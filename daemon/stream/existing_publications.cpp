#include "stream/existing_publications.h"

#include <nlohmann/json.hpp>

#include "embedded_sql.h"
#include "stream/slot.h"

namespace repld::stream {

namespace {

std::vector<std::string> names_of(const pqxx::field& field) {
  return field.is_null() ? std::vector<std::string>()
                         : nlohmann::json::parse(field.c_str()).get<std::vector<std::string>>();
}

void require_publications(pqxx::transaction_base& source,
                          const std::vector<std::string>& publications) {
  const std::vector<std::string> missing = missing_publications(source, publications);
  if (!missing.empty()) {
    throw Error(ErrorKind::refused, fmt::format("publications do not exist on the source: \"{}\"",
                                                fmt::join(missing, "\", \"")))
        .detail("link.create_publication is false, so repld makes none")
        .hint(
            "Check link.publications and the database that source.dsn names, or CREATE PUBLICATION "
            "on the source; repld looks again every few seconds.");
  }
}

LeafEntry entry_of(const pqxx::row& row) {
  LeafEntry entry;
  entry.publication = row[8].c_str();
  entry.entry = row[9].c_str();
  entry.level = row[10].as<int>();
  entry.listed = row[11].as<bool>();
  entry.columns = names_of(row[12]);
  entry.generated = names_of(row[13]);
  entry.filter = row[14].is_null() ? "" : row[14].c_str();
  entry.operations = {row[15].as<bool>(), row[16].as<bool>(), row[17].as<bool>(),
                      row[18].as<bool>()};
  return entry;
}

// A slot that is being made waits for older transactions, also when its client is gone.
bool is_being_made(pg::Session& source, const SlotClaim& claim, const Slot& slot) {
  return slot.here && slot.active && slot.confirmed == Lsn::invalid && !claim.maker.empty() &&
         !source
              .exec_params(
                  "select from pg_stat_activity where pid = $1 "
                  "and pid || '/' || extract(epoch from backend_start) = $2",
                  slot.active_pid, claim.maker)
              .empty();
}

bool is_ours(pg::Session& source, const SlotClaim& claim, const Slot& slot) {
  if (is_being_made(source, claim, slot)) {
    return true;
  }
  if (!slot.here || slot.plugin != "pgoutput" || claim.position == Lsn::invalid ||
      slot.confirmed == Lsn::invalid) {
    return false;
  }
  const bool stands =
      claim.streamed ? slot.confirmed <= claim.position : slot.confirmed == claim.position;
  if (!stands) {
    return false;
  }
  const auto system = source.exec("select system_identifier::text from pg_control_system()");
  return system[0][0].c_str() == claim.system_identifier;
}

}  // namespace

std::vector<std::string> missing_publications(pqxx::transaction_base& source,
                                              const std::vector<std::string>& publications) {
  std::vector<std::string> missing;
  for (const std::string& name : publications) {
    if (source.exec_params("select from pg_publication where pubname = $1", name).empty()) {
      missing.push_back(name);
    }
  }
  return missing;
}

std::vector<TableSupply> read_supplies(pqxx::transaction_base& source,
                                       const std::vector<std::string>& publications) {
  require_publications(source, publications);
  std::vector<TableSupply> tables;
  std::vector<LeafEntry> entries;
  const auto close_leaf = [&] {
    if (!entries.empty()) {
      combine(entries, tables.back().leaves.back());
      entries.clear();
    }
  };
  for (const auto& row : source.exec_params(std::string(sql::kPublishedLeaves),
                                            nlohmann::json(publications).dump())) {
    const auto root = row[0].as<uint32_t>();
    const auto oid = row[3].as<uint32_t>();
    const bool next_table = tables.empty() || tables.back().oid != root;
    if (next_table || tables.back().leaves.back().oid != oid) {
      close_leaf();
      if (next_table) {
        tables.push_back({root, {row[1].c_str(), row[2].c_str()}, {}});
      }
      LeafSupply leaf;
      leaf.oid = oid;
      leaf.name = {row[4].c_str(), row[5].c_str()};
      leaf.leaf = row[6].as<bool>();
      leaf.identity = names_of(row[7]);
      tables.back().leaves.push_back(std::move(leaf));
    }
    if (!row[8].is_null()) {
      entries.push_back(entry_of(row));
    }
  }
  close_leaf();
  return tables;
}

void require_slot_name(pg::Session& source, const SlotClaim& claim) {
  const std::optional<Slot> slot = read_slot(source, claim.name);
  if (slot && !is_ours(source, claim, *slot)) {
    throw foreign_slot(claim.name);
  }
}

void drop_slot_if_ours(pg::Session& source, const SlotClaim& claim) {
  const std::optional<Slot> slot = read_slot(source, claim.name);
  if (slot && is_ours(source, claim, *slot)) {
    drop_slot(source, claim.name);
  }
}

std::vector<std::string> leftovers(pg::Session& source, const SlotClaim& claim) {
  const std::optional<Slot> slot = read_slot(source, claim.name);
  return slot && is_ours(source, claim, *slot) ? std::vector<std::string>{"slot " + claim.name}
                                               : std::vector<std::string>();
}

}  // namespace repld::stream
