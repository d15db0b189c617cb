#include "app/instance_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <random>

#include "core/error.h"

namespace repld::app {

namespace {

std::string random_name() {
  std::random_device random;
  return fmt::format("{:08x}{:08x}{:08x}{:08x}", random(), random(), random(), random());
}

}  // namespace

InstanceLock::InstanceLock(const std::string& path)
    : file_(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640)) {
  if (file_ < 0) {
    throw Error(ErrorKind::config, fmt::format("cannot open \"{}\"", path))
        .detail("{}", std::strerror(errno))
        .hint("The directory of control.socket must exist and be writable.");
  }
  if (::flock(file_, LOCK_EX | LOCK_NB) != 0) {
    ::close(file_);
    throw Error(ErrorKind::refused, "another repld uses this control socket")
        .detail("\"{}\" is locked", path)
        .hint("Give each daemon its own control.socket.");
  }
  char text[64] = {};
  const ssize_t length = ::pread(file_, text, sizeof text - 1, 0);
  if (length == 32) {
    name_ = text;
    return;
  }
  name_ = random_name();
  if (::pwrite(file_, name_.data(), name_.size(), 0) != static_cast<ssize_t>(name_.size())) {
    ::close(file_);
    throw Error(ErrorKind::config, fmt::format("cannot write \"{}\"", path))
        .detail("{}", std::strerror(errno));
  }
}

InstanceLock::~InstanceLock() { ::close(file_); }

}  // namespace repld::app
