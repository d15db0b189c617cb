#include "support/scratch.h"

#include <linux/magic.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <stdexcept>

namespace repld::testing {

namespace {

constexpr uint64_t kRoomNeeded = uint64_t{8} << 30;  // bytes; some twenty clusters

std::string scratch_root() {
  if (const char* given = std::getenv("REPLD_TEST_DIRECTORY")) {
    return given;
  }
  const std::string memory = "/dev/shm";
  struct statfs facts = {};
  const bool roomy = ::statfs(memory.c_str(), &facts) == 0 && facts.f_type == TMPFS_MAGIC &&
                     uint64_t{facts.f_bavail} * uint64_t(facts.f_bsize) >= kRoomNeeded;
  return roomy && ::access(memory.c_str(), W_OK | X_OK) == 0 ? memory : "/tmp";
}

}  // namespace

std::string make_scratch_directory(const std::string& name) {
  std::string directory = scratch_root() + "/" + name + "-XXXXXX";
  if (::mkdtemp(directory.data()) == nullptr) {
    throw std::runtime_error("no temporary directory " + directory);
  }
  return directory;
}

}  // namespace repld::testing
