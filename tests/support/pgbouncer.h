// A real PgBouncer in front of a server, as poolers of managed platforms look to their clients.
#pragma once

#include <sys/types.h>

#include <string>

#include "support/platforms.h"

namespace repld::testing {

enum class PoolMode { session, transaction };
// What it makes of `options` and `replication` in a startup packet: refuse both, which is its
// default, or drop (with ignore_startup_parameters) the first or, as Supabase's pooler does, both.
enum class StartupParameters { refused, replication_refused, ignored };

class PgBouncer {
 public:
  // Everyone comes in as the platform's user, so it takes no passwords.
  PgBouncer(const Platform& platform, PoolMode mode, StartupParameters parameters);
  ~PgBouncer();
  PgBouncer(const PgBouncer&) = delete;
  PgBouncer& operator=(const PgBouncer&) = delete;

  const std::string& dsn() const { return dsn_; }

 private:
  void stop();

  std::string directory_;
  std::string dsn_;
  pid_t pid_ = -1;
};

}  // namespace repld::testing
