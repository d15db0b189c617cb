#include "support/server_user.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <stdexcept>

#include "support/process.h"

namespace repld::testing {

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

void hand_over(const std::string& path) {
  if (::getuid() != 0) {
    return;
  }
  const passwd* owner = ::getpwnam("postgres");
  if (owner == nullptr || ::chown(path.c_str(), owner->pw_uid, owner->pw_gid) != 0) {
    throw std::runtime_error("cannot hand " + path + " over to user postgres");
  }
}

void write_server_file(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::trunc);
  file << text;
  file.close();
  if (!file || ::chmod(path.c_str(), 0600) != 0) {
    throw std::runtime_error("cannot write " + path);
  }
  hand_over(path);
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

}  // namespace repld::testing
