// One daemon per control socket, and a name for this installation.
//
// The file beside the socket is locked for the life of the process; whoever holds the lock knows
// that an earlier daemon of this installation is dead. Its content, written once, is the
// installation's random name: the progress row carries it, so that a restarted daemon may end its
// predecessor's leftover session on the target at once (apply/progress_store).
#pragma once

#include <string>

namespace repld::app {

class InstanceLock {
 public:
  // Throws Error(refused) when another process holds it, Error(config) when the directory cannot
  // be written.
  explicit InstanceLock(const std::string& path);
  ~InstanceLock();
  InstanceLock(const InstanceLock&) = delete;
  InstanceLock& operator=(const InstanceLock&) = delete;

  const std::string& name() const { return name_; }

 private:
  int file_;
  std::string name_;
};

}  // namespace repld::app
