#include "support/process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "support/scratch.h"

namespace repld::testing {

namespace {

[[noreturn]] void become(const std::vector<std::string>& argv,
                         const std::vector<std::string>& environment) {
  for (const std::string& entry : environment) {
    ::putenv(::strdup(entry.c_str()));
  }
  std::vector<char*> pointers;
  for (const std::string& argument : argv) {
    pointers.push_back(const_cast<char*>(argument.c_str()));
  }
  pointers.push_back(nullptr);
  ::execvp(pointers[0], pointers.data());
  ::_exit(127);
}

int open_log(const std::string& path) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (file < 0) {
    throw std::runtime_error("cannot write " + path);
  }
  return file;
}

pid_t fork_with(const std::vector<std::string>& argv, const std::vector<std::string>& environment,
                int out, int err) {
  const pid_t pid = ::fork();
  if (pid < 0) {
    throw std::runtime_error("fork failed");
  }
  if (pid == 0) {
    const int nothing = ::open("/dev/null", O_RDONLY);
    ::dup2(nothing, STDIN_FILENO);
    ::dup2(out, STDOUT_FILENO);
    ::dup2(err, STDERR_FILENO);
    become(argv, environment);
  }
  return pid;
}

}  // namespace

std::string read_file(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

Outcome run(const std::vector<std::string>& argv) {
  // Files instead of pipes: nothing to drain, and a grandchild that lives on blocks nobody.
  const std::string directory = make_scratch_directory("repld-run");
  const std::string out_path = directory + "/out";
  const std::string err_path = directory + "/err";
  const int out = open_log(out_path);
  const int err = open_log(err_path);
  const pid_t pid = fork_with(argv, {}, out, err);
  ::close(out);
  ::close(err);
  Outcome outcome;
  outcome.exit_code = wait_for_exit(pid);
  outcome.out = read_file(out_path);
  outcome.err = read_file(err_path);
  std::filesystem::remove_all(directory);
  return outcome;
}

pid_t start(const std::vector<std::string>& argv, const std::vector<std::string>& environment,
            const std::string& log_path) {
  const int log = open_log(log_path);
  const pid_t pid = fork_with(argv, environment, log, log);
  ::close(log);
  return pid;
}

int wait_for_exit(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

bool is_running(pid_t pid) {
  siginfo_t info = {};
  ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT);
  return info.si_pid == 0;
}

}  // namespace repld::testing
