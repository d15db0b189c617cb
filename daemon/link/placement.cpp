#include "link/placement.h"

#include <algorithm>

#include "core/table.h"

namespace repld::link {

namespace {

bool lives_on_target(const Config& config, const std::string& group) {
  return std::any_of(config.groups.begin(), config.groups.end(), [&](const GroupConfig& each) {
    return each.name == group && each.primary == Side::target;
  });
}

}  // namespace

void require_placement(pg::Session& target, const Config& config) {
  std::vector<std::string> moved;
  for (const auto& row : target.exec_params(
           "select schema_name, table_name from repld.table_state where link = $1 order by 1, 2",
           config.link.name)) {
    const TableName table{row[0].c_str(), row[1].c_str()};
    if (lives_on_target(config, group_of(config, table.schema, table.name))) {
      moved.push_back(table.full());
    }
  }
  if (!moved.empty()) {
    throw Error(ErrorKind::schema, "replicated tables are in a group that lives on the target")
        .detail("{}", fmt::join(moved, ", "))
        .hint(
            "A group is not moved by the configuration: give it primary = \"source\" again and "
            "restart repld. Or give the tables up as replicas: with the old configuration run "
            "replctl finalize, then start afresh with the new one.")
        .table(moved.front());
  }
}

void require_groups_kept(pg::Session& target, const Config& config, const Carriage& carriage) {
  for (const auto& row :
       target.exec_params("select schema_name, table_name, group_name from repld.table_state "
                          "where link = $1 order by 1, 2",
                          config.link.name)) {
    const TableName table{row[0].c_str(), row[1].c_str()};
    const std::string group = group_of(config, table.schema, table.name);
    const std::string had = row[2].as<std::string>(group);
    if (carriage.primary_of(had) != carriage.primary_of(group)) {
      throw Error(ErrorKind::schema,
                  fmt::format("table {} is not moved by the configuration", table.full()))
          .detail("it was in group \"{}\" and is in \"{}\" now, which is written on the other side",
                  had, group)
          .hint("Put it back into group \"{}\", or use replctl cutover or rollback first.", had)
          .table(table.full());
    }
    if (row[2].is_null() || had != group) {
      target.exec_params(
          "update repld.table_state set group_name = $4 "
          "where link = $1 and schema_name = $2 and table_name = $3",
          config.link.name, table.schema, table.name, group);
    }
  }
}

}  // namespace repld::link
