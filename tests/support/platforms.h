// Two managed platforms as their customers see them, on local servers: the roles and settings that
// matter, no superuser for the customer.
//
// How they are is given by the environment, so that the whole suite runs on any of them:
//   REPLD_TEST_SOURCE=15|17        version of the Supabase-like server; 15
//   REPLD_TEST_TARGET=A|B|C        variant of the Timeweb-like server; A
//   REPLD_TEST_REPLICA_ROLE=1      the customer may set session_replication_role
//   REPLD_TEST_TLS=1               TLS only, verify-full by name, scram and a wild password
//   REPLD_TEST_RTT_MS=30           a round trip takes that long, for the daemon
//   REPLD_TEST_HOSTILE=1           the worst settings that a panel allows
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "support/certificates.h"
#include "support/pg_cluster.h"
#include "support/tcp_proxy.h"

namespace repld::testing {

struct Platform {
  std::unique_ptr<PgCluster> cluster;
  std::unique_ptr<CertificateAuthority> authority;  // null without TLS
  std::unique_ptr<TcpProxy> proxy;                  // null without a round-trip time
  std::string dsn;            // the customer's role on the customer's database, for the test
  std::string remote_dsn;     // the same as the daemon reaches it: through the proxy, unshielded
  std::string superuser_dsn;  // the same database, for checks that a customer could not do
  std::string user;
  std::string database;
  std::string password;  // empty when the server trusts

  // As in remote_dsn.
  int remote_port() const { return proxy ? proxy->port() : cluster->port(); }
};

// A Supabase project: role postgres with REPLICATION and BYPASSRLS but no superuser, API roles,
// platform schemas, event triggers, its own publication. `settings` go over the platform's.
// `version` 0: as the environment says.
Platform supabase_like(int version = 0, const std::map<std::string, std::string>& settings = {});

// A Timeweb Cloud database, PostgreSQL 18: role gen_user may create databases and roles, nothing
// else. A: wal_level replica, no REPLICATION; B: logical, no REPLICATION; C: both.
enum class TimewebVariant { A, B, C };
TimewebVariant timeweb_variant();        // as the environment says
bool replica_role_granted();             // as the environment says
std::chrono::milliseconds round_trip();  // as the environment says; 0: no proxy
Platform timeweb_like(TimewebVariant variant,
                      const std::map<std::string, std::string>& settings = {});

// The DNS name that certificates of the platforms are for.
inline constexpr const char* kServerName = "db.example.test";
// What generators of passwords come up with, and what breaks URIs, shells and quoting.
inline constexpr const char* kWildPassword = R"(a{b|c}d<e>f?g@h%i'j"k\l m)";

// Puts what a panel or a former owner may have left on the database: timeouts, formats, quoting.
void make_hostile(const Platform& platform);
// TLS by name and scram passwords for the customer from here on; dsn and remote_dsn follow.
void require_tls(Platform& platform);
// Idle slots of somebody else.
void take_slots(const Platform& platform, int count);

// One value of a connection string, quoted.
std::string quote_dsn_value(const std::string& value);

}  // namespace repld::testing
