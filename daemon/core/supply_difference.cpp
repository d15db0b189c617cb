// How what publications gave of a table is written down, and compared with what they give now.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/supply.h"

namespace repld {

namespace {

using nlohmann::json;

constexpr const char* kStartAfresh =
    "Run replctl finalize, empty the target's tables and start again, so that they are copied "
    "afresh.";

json json_of(const Supply& supply) {
  const Operations& operations = supply.operations;
  return {{"entries", supply.entries},
          {"listed", supply.listed},
          {"columns", supply.columns},
          {"generated", supply.generated},
          {"filter", supply.filter},
          {"publish",
           {operations.inserts, operations.updates, operations.deletes, operations.truncates}}};
}

Supply supply_of(const json& value) {
  Supply supply;
  supply.entries = value.at("entries").get<std::map<std::string, std::string>>();
  supply.listed = value.at("listed").get<bool>();
  supply.columns = value.at("columns").get<std::vector<std::string>>();
  supply.generated = value.at("generated").get<std::vector<std::string>>();
  supply.filter = value.at("filter").get<std::string>();
  const auto publish = value.at("publish").get<std::vector<bool>>();
  supply.operations = {publish.at(0), publish.at(1), publish.at(2), publish.at(3)};
  return supply;
}

Error changed(const LeafSupply& leaf, const char* what, const std::string& before,
              const std::string& after) {
  Error error(ErrorKind::schema,
              fmt::format("the publications give other {} of \"{}\" than when it was copied", what,
                          leaf.name.full()));
  error.detail("before: {}; now: {}", before, after);
  error.hint("The target is not what they give now. {}", kStartAfresh);
  return error.table(leaf.name.full());
}

Error gone(const TableName& name) {
  Error error(ErrorKind::schema,
              fmt::format("table \"{}\" left the publications of the link", name.full()));
  error.detail("its changes do not come any more");
  error.hint(
      "Changes to it may be missing already, so putting it back is not enough. With the table in a "
      "publication again, or without it: {}",
      kStartAfresh);
  return error.table(name.full());
}

Error came_back(const TableName& name, const std::string& publication) {
  Error error(ErrorKind::slot_lost,
              fmt::format("table \"{}\" left publication \"{}\", if only for a while", name.full(),
                          publication));
  error.detail("changes may have gone by that the target lacks");
  error.hint("{}", kStartAfresh);
  return error.table(name.full());
}

Error added(const TableName& name) {
  Error error(
      ErrorKind::schema,
      fmt::format("partition \"{}\" was not published when its table was copied", name.full()));
  error.detail("rows that it had by then may be missing on the target");
  error.hint("Take it out of the publications again, or start anew. {}", kStartAfresh);
  return error.table(name.full());
}

Error unpublished(const TableName& name) {
  Error error(ErrorKind::schema,
              fmt::format("partition \"{}\" is in none of the link's publications", name.full()));
  error.detail("the other partitions of its table are");
  error.hint(
      "Its rows are missing on the target. Publish the partitioned table itself, which publishes "
      "partitions to come. {}",
      kStartAfresh);
  return error.table(name.full());
}

std::string list_of(const std::vector<std::string>& names) {
  return names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "));
}

std::string or_all(const std::string& filter) { return filter.empty() ? "every row" : filter; }

std::optional<Error> leaf_difference(const LeafSupply& leaf, const Supply& then,
                                     const Supply& now) {
  for (const auto& [publication, entry] : then.entries) {
    const auto found = now.entries.find(publication);
    if (found != now.entries.end() && found->second != entry) {
      return came_back(leaf.name, publication);
    }
  }
  if (then.filter != now.filter) {
    return changed(leaf, "rows", or_all(then.filter), or_all(now.filter));
  }
  if (then.listed != now.listed || (then.listed && then.columns != now.columns)) {
    return changed(leaf, "columns", then.listed ? list_of(then.columns) : "all",
                   now.listed ? list_of(now.columns) : "all");
  }
  if (then.generated != now.generated) {
    return changed(leaf, "generated columns", list_of(then.generated), list_of(now.generated));
  }
  if (!(then.operations == now.operations)) {
    return changed(leaf, "operations", to_string(then.operations), to_string(now.operations));
  }
  return std::nullopt;
}

}  // namespace

std::string supply_json(const TableSupply& supply) {
  json leaves = json::array();
  for (const LeafSupply& leaf : supply.leaves) {
    leaves.push_back({{"oid", leaf.oid},
                      {"schema", leaf.name.schema},
                      {"name", leaf.name.name},
                      {"leaf", leaf.leaf},
                      {"supply", leaf.supply ? json_of(*leaf.supply) : json()}});
  }
  return json({{"oid", supply.oid},
               {"schema", supply.name.schema},
               {"name", supply.name.name},
               {"leaves", leaves}})
      .dump();
}

TableSupply parse_supply(const std::string& text) {
  try {
    const json value = json::parse(text);
    TableSupply table;
    table.oid = value.at("oid").get<uint32_t>();
    table.name = {value.at("schema").get<std::string>(), value.at("name").get<std::string>()};
    for (const json& each : value.at("leaves")) {
      LeafSupply leaf;
      leaf.oid = each.at("oid").get<uint32_t>();
      leaf.name = {each.at("schema").get<std::string>(), each.at("name").get<std::string>()};
      leaf.leaf = each.at("leaf").get<bool>();
      if (!each.at("supply").is_null()) {
        leaf.supply = supply_of(each.at("supply"));
      }
      table.leaves.push_back(std::move(leaf));
    }
    return table;
  } catch (const std::exception& failure) {
    throw Error(ErrorKind::internal, "repld.table_state.published cannot be read")
        .detail("{}", failure.what());
  }
}

std::optional<Error> supply_difference(const TableSupply& then, const TableSupply& now) {
  const bool whole = std::all_of(then.leaves.begin(), then.leaves.end(),
                                 [](const LeafSupply& leaf) { return leaf.supply || !leaf.leaf; });
  for (const LeafSupply& leaf : now.leaves) {
    const LeafSupply* before = then.find_leaf(leaf.oid);
    if (before == nullptr) {
      // Made since. It streams from its first row on, or not at all.
      if (whole && !leaf.supply) {
        return unpublished(leaf.name);
      }
    } else if (before->supply && !leaf.supply) {
      return gone(now.published() ? leaf.name : now.name);
    } else if (!before->supply && leaf.supply) {
      return added(leaf.name);
    } else if (before->supply) {
      if (auto difference = leaf_difference(leaf, *before->supply, *leaf.supply)) {
        return difference;
      }
    }
  }
  return std::nullopt;
}

}  // namespace repld
