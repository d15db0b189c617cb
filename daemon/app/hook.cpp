#include "app/hook.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstring>
#include <nlohmann/json.hpp>
#include <thread>

#include "core/error.h"

extern char** environ;

namespace repld::app {

namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kOutputMax = 8192;
constexpr std::chrono::milliseconds kLook{20};

struct Pipe {
  std::array<int, 2> ends{-1, -1};
  Pipe() {
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
      throw Error(ErrorKind::refused, "no pipe for a hook");
    }
  }
  ~Pipe() {
    close(0);
    close(1);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  void close(size_t end) {
    if (ends[end] >= 0) {
      ::close(ends[end]);
      ends[end] = -1;
    }
  }
};

std::vector<std::string> environment_of(const HookCall& call) {
  std::vector<std::string> entries;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    if (std::strncmp(*entry, "REPLD_", 6) != 0) {
      entries.emplace_back(*entry);
    }
  }
  entries.push_back("REPLD_GROUP=" + call.group);
  entries.push_back("REPLD_PRIMARY=" + call.primary);
  entries.push_back("REPLD_CUTOVER_ID=" + call.cutover_id);
  return entries;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) {
    pointers.push_back(text.data());
  }
  pointers.push_back(nullptr);
  return pointers;
}

// In a process group of its own, so that what it starts ends with it.
pid_t spawn(const HookCall& call, const Pipe& in, const Pipe& out) {
  std::vector<std::string> argv = call.argv;
  std::vector<std::string> environment = environment_of(call);
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawnattr_init(&attributes);
  ::posix_spawn_file_actions_adddup2(&actions, in.ends[0], STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, out.ends[1], STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, out.ends[1], STDERR_FILENO);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  pid_t pid = -1;
  const int failure = ::posix_spawnp(&pid, argv.front().c_str(), &actions, &attributes,
                                     pointers_to(argv).data(), pointers_to(environment).data());
  ::posix_spawn_file_actions_destroy(&actions);
  ::posix_spawnattr_destroy(&attributes);
  if (failure != 0) {
    throw Error(ErrorKind::refused, fmt::format("hook {} cannot be started", argv.front()))
        .detail("{}", std::strerror(failure));
  }
  return pid;
}

// What has come so far, without waiting.
void read_into(std::string& output, int from) {
  pollfd ready{from, POLLIN, 0};
  std::array<char, 4096> buffer{};
  while (::poll(&ready, 1, 0) > 0) {
    const ssize_t got = ::read(from, buffer.data(), buffer.size());
    if (got <= 0) {
      return;
    }
    output.append(buffer.data(), static_cast<size_t>(got));
    if (output.size() > kOutputMax) {
      output.erase(0, output.size() - kOutputMax);
    }
  }
}

}  // namespace

HookResult run_hook(const HookCall& call, std::chrono::milliseconds timeout) {
  Pipe in;
  Pipe out;
  const std::string text =
      nlohmann::json{
          {"group", call.group}, {"primary", call.primary}, {"cutover_id", call.cutover_id}}
          .dump() +
      "\n";
  // Small enough for the pipe, so that a hook which does not read it keeps nobody waiting.
  if (::write(in.ends[1], text.data(), text.size()) < 0) {
    throw Error(ErrorKind::refused, "a hook's input cannot be written");
  }
  const pid_t pid = spawn(call, in, out);
  in.close(0);
  in.close(1);
  out.close(1);
  HookResult result;
  const auto until = Clock::now() + timeout;
  int status = 0;
  while (::waitpid(pid, &status, WNOHANG) == 0) {
    read_into(result.output, out.ends[0]);
    if (!result.timed_out && Clock::now() >= until) {
      result.timed_out = true;
      ::kill(-pid, SIGKILL);
    }
    std::this_thread::sleep_for(kLook);
  }
  read_into(result.output, out.ends[0]);
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return result;
}

}  // namespace repld::app
