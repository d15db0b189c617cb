// A throw-away PostgreSQL server: a fresh data directory, a free port on loopback, gone with the
// object. Version 15 is Debian's, 17 and 18 come from script/install-postgres. PostgreSQL does
// not run as root: as root, everything here runs as user postgres.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "support/certificates.h"

namespace repld::testing {

enum class StopMode { fast, immediate };

struct ClusterOptions {
  std::string superuser = "postgres";
  std::map<std::string, std::string> settings;  // over the defaults
};

class PgCluster {
 public:
  // Creates and starts it. Throws when the server's programs are missing: an absent server fails a
  // test, it is not skipped.
  explicit PgCluster(int version, ClusterOptions options = {});
  ~PgCluster();
  PgCluster(const PgCluster&) = delete;
  PgCluster& operator=(const PgCluster&) = delete;

  void start();
  void stop(StopMode mode);
  void restart(StopMode mode);

  // All three hold for sessions that begin after the call.
  // More settings, of those that need no restart.
  void set(const std::map<std::string, std::string>& settings);
  // Lines of pg_hba.conf instead of those that trust everyone on loopback; the local socket, which
  // the superuser's DSN names, is always trusted.
  void admit(const std::vector<std::string>& lines);
  void use_certificate(const Certificate& certificate);

  // The stopped cluster's files, for servers that come back older than they were.
  void save_data(const std::string& label);
  void restore_data(const std::string& label);

  int version() const { return version_; }
  int port() const { return port_; }
  std::string dsn(const std::string& user, const std::string& database) const;
  // Through the local socket: not subject to TLS, passwords or a bad network.
  std::string superuser_dsn(const std::string& database) const;
  std::string log_text() const;
  const std::string& directory() const { return directory_; }

 private:
  void control(const std::vector<std::string>& arguments);
  void write_settings();
  void reload();

  const int version_;
  ClusterOptions options_;
  std::string binaries_;
  std::string directory_;
  int port_ = 0;
  bool running_ = false;
};

}  // namespace repld::testing
