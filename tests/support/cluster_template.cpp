#include "support/cluster_template.h"

#include <unistd.h>

#include <filesystem>
#include <random>
#include <stdexcept>

#include "support/control_file.h"
#include "support/server_user.h"

namespace repld::testing {

namespace {

namespace fs = std::filesystem;

void give_own_identifier(const std::string& data) {
  std::random_device random;
  set_system_identifier(data, (uint64_t{random() & 0x7FFFFFFF} << 32) | random());
}

// Of these very binaries, so that no upgrade meets an older one.
std::string template_of(const std::string& binaries, const std::string& cache,
                        const std::string& superuser) {
  const fs::path server = binaries + "/postgres";
  const auto made = fs::last_write_time(server).time_since_epoch().count();
  return cache + "/clusters/" + superuser + "-" + std::to_string(fs::file_size(server)) + "-" +
         std::to_string(made);
}

}  // namespace

void create_cluster(const std::string& binaries, const std::string& cache,
                    const std::string& superuser, const std::string& data) {
  const std::string kept = template_of(binaries, cache, superuser);
  if (!fs::exists(kept)) {
    fs::create_directories(cache + "/clusters");
    hand_over(cache + "/clusters");
    std::string fresh = kept + ".XXXXXX";
    if (::mkdtemp(fresh.data()) == nullptr) {
      throw std::runtime_error("no temporary directory");
    }
    hand_over(fresh);
    must_run({binaries + "/initdb", "-D", fresh, "-U", superuser, "-A", "trust", "-E", "UTF8",
              "--locale=C.UTF-8", "--no-sync"});
    std::error_code beaten;  // another process made it meanwhile
    fs::rename(fresh, kept, beaten);
    if (beaten) {
      fs::remove_all(fresh);
    }
  }
  must_run({"cp", "-a", "--reflink=auto", kept, data});
  give_own_identifier(data);
}

}  // namespace repld::testing
