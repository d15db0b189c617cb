#include "support/standby.h"

#include <filesystem>

#include "support/process.h"
#include "support/server_user.h"

namespace repld::testing {

namespace {

namespace fs = std::filesystem;

std::string data_of(const PgCluster& cluster) { return cluster.directory() + "/data"; }
std::string signal_of(const PgCluster& cluster) { return data_of(cluster) + "/standby.signal"; }

}  // namespace

void follow(PgCluster& standby, PgCluster& primary) {
  standby.set({{"primary_conninfo", primary.superuser_dsn("postgres")}});
  const std::string settings = read_file(data_of(standby) + "/postgresql.auto.conf");
  standby.stop(StopMode::immediate);
  primary.stop(StopMode::fast);
  fs::remove_all(data_of(standby));
  must_run({"cp", "-a", data_of(primary), data_of(standby)});
  write_server_file(data_of(standby) + "/postgresql.auto.conf", settings);
  write_server_file(signal_of(standby), "");
  primary.start();
  standby.start();
}

void demote(PgCluster& cluster) {
  cluster.stop(StopMode::fast);
  write_server_file(signal_of(cluster), "");
  cluster.start();
}

void promote(PgCluster& cluster) {
  cluster.stop(StopMode::fast);
  fs::remove(signal_of(cluster));
  cluster.start();
}

}  // namespace repld::testing
