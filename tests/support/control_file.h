// Changes in the files of a stopped server what no running one lets be changed. All throw when the
// files have another form than PostgreSQL 15 to 18 give them.
#pragma once

#include <cstdint>
#include <string>

namespace repld::testing {

// `data`: the directory of a server that was stopped in good order.
void set_system_identifier(const std::string& data, uint64_t identifier);

// The next transaction gets this id, in the first epoch; none before it is looked up any more.
// Every row must be frozen, and autovacuum off: the catalogs keep the old limits. Asks for a WAL
// segment that was just begun.
void set_next_xid(const std::string& data, uint32_t xid);

}  // namespace repld::testing
