// Two managed platforms as their customers see them, on local servers: the roles and settings that
// matter, no superuser for the customer.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "support/pg_cluster.h"

namespace repld::testing {

struct Platform {
  std::unique_ptr<PgCluster> cluster;
  std::string dsn;            // the customer's role on the customer's database
  std::string superuser_dsn;  // the same database, for checks that a customer could not do
  std::string user;
  std::string database;
};

// A Supabase project: role postgres with REPLICATION and BYPASSRLS but no superuser, API roles,
// platform schemas, event triggers, its own publication. `settings` go over the platform's.
Platform supabase_like(int version, const std::map<std::string, std::string>& settings = {});

// A Timeweb Cloud database, PostgreSQL 18: role gen_user may create databases and roles, nothing
// else. A: wal_level replica, no REPLICATION; B: logical, no REPLICATION; C: both.
enum class TimewebVariant { A, B, C };
Platform timeweb_like(TimewebVariant variant,
                      const std::map<std::string, std::string>& settings = {});

}  // namespace repld::testing
