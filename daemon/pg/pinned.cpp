#include "pg/pinned.h"

#include "core/error.h"

namespace repld::pg {

namespace {

constexpr int kFirstWithTransactionTimeout = 170000;

}  // namespace

std::string pinned_sql(int server_version) {
  const std::string pinned = "pg_catalog.current_setting('repld.pinned', true)";
  if (server_version < kFirstWithTransactionTimeout) {
    return "select " + pinned;
  }
  return fmt::format(
      "select {0}, case when {0} = 'on' then "
      "pg_catalog.set_config('transaction_timeout', '0', false) end",
      pinned);
}

void require_pinned(const std::string& answer, const Server& server) {
  if (answer == "on") {
    return;
  }
  throw Error(ErrorKind::connect,
              fmt::format("the {}'s sessions do not take our settings", to_string(server.side)))
      .detail("the option repld.pinned, stated in the startup packet, is not set")
      .hint(
          "A connection pooler drops them: name the server's own host and port in {}.dsn, without "
          "a pooler (Supabase: db.PROJECT.supabase.co, port 5432, user postgres).",
          to_string(server.side))
      .lasting(true);
}

}  // namespace repld::pg
