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

}  // namespace repld::link
