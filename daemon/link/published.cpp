#include "link/published.h"

#include <utility>

namespace repld::link {

stream::Published read_published(pg::Session& target, const Shared& shared,
                                 const apply::ProgressRow& row) {
  stream::Published published;
  published.id = shared.publication_id(row.slot_name, row.guard_nonce);
  for (const auto& table :
       target.exec_params("select schema_name, table_name, coalesce(source_oid, 0)::bigint, "
                          "coalesce(publication_entry, 0)::bigint, state in ('joining', 'leaving') "
                          "from repld.table_state where link = $1",
                          shared.name())) {
    const TableName name{table[0].c_str(), table[1].c_str()};
    // A target that failed over may have forgotten that a table was about to leave.
    const bool changing =
        table[4].as<bool>() || !replicates_table(shared.settings.config, name.schema, name.name);
    auto& tables = changing ? published.changing : published.tables;
    tables.push_back({name, table[2].as<uint32_t>(), table[3].as<uint32_t>()});
  }
  return published;
}

void watch(Shared& shared, stream::Published published) {
  shared.publication_check.with([&](PublicationCheck& check) {
    check = [published = std::move(published)](pg::Session& source) {
      return stream::find_difference(source, published);
    };
  });
}

Unwatched::Unwatched(Shared& shared) : shared_(shared) {
  shared_.publication_check.with(
      [this](PublicationCheck& check) { before_ = std::exchange(check, nullptr); });
}

Unwatched::~Unwatched() {
  shared_.publication_check.with([this](PublicationCheck& check) {
    if (!check) {
      check = std::move(before_);
    }
  });
}

}  // namespace repld::link
