#include "support/pg_cluster.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <pqxx/pqxx>
#include <stdexcept>
#include <vector>

#include "support/cluster_template.h"
#include "support/eventually.h"
#include "support/process.h"
#include "support/scratch.h"
#include "support/server_user.h"

namespace repld::testing {

namespace {

namespace fs = std::filesystem;

std::string cache_directory() {
  if (const char* given = std::getenv("REPLD_CACHE")) {
    return given;
  }
  const char* home = std::getenv("HOME");
  return ::getuid() == 0 || home == nullptr ? "/var/cache/repld"
                                            : std::string(home) + "/.cache/repld";
}

std::string binaries_of(int version) {
  std::string path = version == 15
                         ? "/usr/lib/postgresql/15/bin"
                         : cache_directory() + "/postgresql-" + std::to_string(version) + "/bin";
  if (!fs::exists(path + "/postgres")) {
    throw std::runtime_error("PostgreSQL " + std::to_string(version) + " is not at " + path +
                             ": run script/install-postgres");
  }
  return path;
}

}  // namespace

PgCluster::PgCluster(int version, ClusterOptions options)
    : version_(version), options_(std::move(options)), binaries_(binaries_of(version)) {
  directory_ = make_scratch_directory("repld-pg");
  hand_over(directory_);
  create_cluster(binaries_, cache_directory(), options_.superuser, directory_ + "/data");
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
  std::string text;
  for (const auto& [name, value] : settings) {
    text += name + " = '" + value + "'\n";
  }
  write_server_file(directory_ + "/data/postgresql.auto.conf", text);
}

void PgCluster::reload() {
  // In a session of its own each time: it inherits what the server has loaded.
  const auto loaded_at = [this] {
    pqxx::connection connection(superuser_dsn("postgres"));
    const auto rows = pqxx::nontransaction(connection).exec("select pg_conf_load_time()");
    return std::string(rows[0][0].c_str());
  };
  const std::string before = loaded_at();
  control({"reload"});
  if (!eventually(std::chrono::seconds(10), [&] { return loaded_at() != before; })) {
    throw std::runtime_error("the server did not load its settings again");
  }
}

void PgCluster::set(const std::map<std::string, std::string>& settings) {
  for (const auto& [name, value] : settings) {
    options_.settings[name] = value;
  }
  write_settings();
  reload();
}

void PgCluster::admit(const std::vector<std::string>& lines) {
  std::string text = "local all all trust\n";
  for (const std::string& line : lines) {
    text += line + "\n";
  }
  write_server_file(directory_ + "/data/pg_hba.conf", text);
  reload();
}

void PgCluster::use_certificate(const Certificate& certificate) {
  set({{"ssl", "on"}, {"ssl_cert_file", certificate.path}, {"ssl_key_file", certificate.key_path}});
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

std::string PgCluster::superuser_dsn(const std::string& database) const {
  return "host=" + directory_ + " port=" + std::to_string(port_) + " user=" + options_.superuser +
         " dbname=" + database;
}

std::string PgCluster::log_text() const { return read_file(directory_ + "/log"); }

}  // namespace repld::testing
