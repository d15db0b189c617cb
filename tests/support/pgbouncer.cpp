#include "support/pgbouncer.h"

#include <signal.h>
#include <stdlib.h>

#include <filesystem>
#include <pqxx/pqxx>
#include <stdexcept>

#include "support/eventually.h"
#include "support/process.h"
#include "support/scratch.h"
#include "support/server_user.h"

namespace repld::testing {

namespace {

bool answers(const std::string& dsn) {
  try {
    const pqxx::connection connection(dsn);
    return connection.is_open();
  } catch (const pqxx::broken_connection&) {
    return false;
  }
}

std::string ignored(StartupParameters parameters) {
  switch (parameters) {
    case StartupParameters::refused: return "";
    case StartupParameters::replication_refused: return "options";
    case StartupParameters::ignored: return "options,replication";
  }
  return "";
}

}  // namespace

PgBouncer::PgBouncer(const Platform& platform, PoolMode mode, StartupParameters parameters) {
  directory_ = make_scratch_directory("repld-pgbouncer");
  hand_over(directory_);
  const std::string port = std::to_string(free_port());
  // The platform may want TLS on TCP; its local socket trusts.
  std::string settings = "[databases]\n" + platform.database +
                         " = host=" + platform.cluster->directory() +
                         " port=" + std::to_string(platform.cluster->port()) +
                         " user=" + platform.user + "\n[pgbouncer]\nlisten_addr = 127.0.0.1\n" +
                         "listen_port = " + port + "\nunix_socket_dir =\nauth_type = any\n" +
                         "pool_mode = " + (mode == PoolMode::session ? "session" : "transaction") +
                         "\nignore_startup_parameters = " + ignored(parameters) + "\n";
  write_server_file(directory_ + "/pgbouncer.ini", settings);
  pid_ = start(as_server_user({"/usr/sbin/pgbouncer", directory_ + "/pgbouncer.ini"}), {},
               directory_ + "/log");
  dsn_ = "host=127.0.0.1 port=" + port + " user=" + platform.user + " dbname=" + platform.database;
  if (!eventually(std::chrono::seconds(10), [&] { return answers(dsn_); })) {
    stop();
    throw std::runtime_error("pgbouncer does not answer: " + read_file(directory_ + "/log"));
  }
}

PgBouncer::~PgBouncer() {
  stop();
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

void PgBouncer::stop() {
  ::kill(pid_, SIGKILL);
  wait_for_exit(pid_);
}

}  // namespace repld::testing
