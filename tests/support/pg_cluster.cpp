#include "support/pg_cluster.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pwd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <vector>

#include "support/process.h"

namespace repld::testing {

namespace {

namespace fs = std::filesystem;

std::string cache_directory() {
  if (const char* given = std::getenv("REPLD_CACHE")) {
    return given;
  }
  return ::getuid() == 0 ? "/var/cache/repld" : std::string(std::getenv("HOME")) + "/.cache/repld";
}

std::string binaries_of(int version) {
  const std::string path =
      version == 15 ? "/usr/lib/postgresql/15/bin"
                    : cache_directory() + "/postgresql-" + std::to_string(version) + "/bin";
  if (!fs::exists(path + "/postgres")) {
    throw std::runtime_error("PostgreSQL " + std::to_string(version) + " is not at " + path +
                             ": run script/install-postgres");
  }
  return path;
}

// Runs as user postgres when we are root.
std::vector<std::string> as_server_user(std::vector<std::string> argv) {
  if (::getuid() == 0) {
    argv.insert(argv.begin(),
                {"setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--"});
  }
  return argv;
}

void must_run(const std::vector<std::string>& argv) {
  const Outcome outcome = run(as_server_user(argv));
  if (outcome.exit_code != 0) {
    throw std::runtime_error(argv[0] + " failed: " + outcome.err + outcome.out);
  }
}

int free_port() {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  const bool bound = ::bind(socket, reinterpret_cast<sockaddr*>(&address), length) == 0 &&
                     ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &length) == 0;
  ::close(socket);
  if (!bound) {
    throw std::runtime_error("no free port");
  }
  return ntohs(address.sin_port);
}

void hand_over(const std::string& path) {
  if (::getuid() != 0) {
    return;
  }
  const passwd* owner = ::getpwnam("postgres");
  if (owner == nullptr || ::chown(path.c_str(), owner->pw_uid, owner->pw_gid) != 0) {
    throw std::runtime_error("cannot hand " + path + " over to user postgres");
  }
}

}  // namespace

PgCluster::PgCluster(int version, const ClusterOptions& options)
    : version_(version), options_(options), binaries_(binaries_of(version)) {
  char directory[] = "/tmp/repld-pg-XXXXXX";
  if (::mkdtemp(directory) == nullptr) {
    throw std::runtime_error("no temporary directory");
  }
  directory_ = directory;
  hand_over(directory_);
  must_run({binaries_ + "/initdb", "-D", directory_ + "/data", "-U", options_.superuser, "-A",
            "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"});
  // Another process may take the port between our look and the start: try another.
  for (int attempt = 0;; ++attempt) {
    port_ = free_port();
    write_settings();
    try {
      start();
      return;
    } catch (const std::runtime_error&) {
      if (attempt == 4) {
        throw;
      }
    }
  }
}

PgCluster::~PgCluster() {
  try {
    if (running_) {
      stop(StopMode::immediate);
    }
  } catch (const std::exception&) {
    // It is gone already; the directory goes in any case.
  }
  std::error_code ignored;
  fs::remove_all(directory_, ignored);
}

void PgCluster::write_settings() {
  std::map<std::string, std::string> settings = {
      {"port", std::to_string(port_)},
      {"listen_addresses", "127.0.0.1"},
      {"unix_socket_directories", directory_},
      {"fsync", "off"},
      {"shared_buffers", "64MB"},
      {"max_connections", "60"},
      {"log_line_prefix", "%m [%p] %a "},
  };
  for (const auto& [name, value] : options_.settings) {
    settings[name] = value;
  }
  const std::string path = directory_ + "/data/postgresql.auto.conf";
  std::ofstream file(path, std::ios::trunc);
  for (const auto& [name, value] : settings) {
    file << name << " = '" << value << "'\n";
  }
  file.close();
  hand_over(path);
}

void PgCluster::control(const std::vector<std::string>& arguments) {
  std::vector<std::string> argv = {binaries_ + "/pg_ctl",
                                   "-D",
                                   directory_ + "/data",
                                   "-l",
                                   directory_ + "/log",
                                   "-w",
                                   "-t",
                                   "60"};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  must_run(argv);
}

void PgCluster::start() {
  control({"start"});
  running_ = true;
}

void PgCluster::stop(StopMode mode) {
  control({"stop", "-m", mode == StopMode::fast ? "fast" : "immediate"});
  running_ = false;
}

void PgCluster::restart(StopMode mode) {
  stop(mode);
  start();
}

void PgCluster::save_data(const std::string& label) {
  must_run({"cp", "-a", directory_ + "/data", directory_ + "/" + label});
}

void PgCluster::restore_data(const std::string& label) {
  fs::remove_all(directory_ + "/data");
  must_run({"cp", "-a", directory_ + "/" + label, directory_ + "/data"});
}

std::string PgCluster::dsn(const std::string& user, const std::string& database) const {
  return "host=127.0.0.1 port=" + std::to_string(port_) + " user=" + user + " dbname=" + database;
}

std::string PgCluster::log_text() const { return read_file(directory_ + "/log"); }

}  // namespace repld::testing
