#include "link/shown.h"

#include "core/xid.h"

namespace repld::link {

bool shows(pg::Session& source, uint32_t xid) {
  const auto rows = source.exec("select pg_current_snapshot()");
  return SourceSnapshot::parse(rows[0][0].c_str()).sees(xid);
}

Error not_shown_yet(const Relation& relation) {
  return Error(ErrorKind::connect, "the source does not show yet what it streams")
      .detail("its commit waits, for a synchronous standby perhaps")
      .table(relation.full_name());
}

}  // namespace repld::link
