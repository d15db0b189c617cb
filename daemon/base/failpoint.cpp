#include "base/failpoint.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <map>
#include <mutex>
#include <string>
#include <thread>

#include "core/error.h"

namespace repld {

namespace {

constexpr std::array kFailpoints = {
    std::string_view("setup.after_progress_row"), std::string_view("setup.after_slot"),
    std::string_view("setup.after_guard"),        std::string_view("copy.after_chunk"),
    std::string_view("copy.before_done"),         std::string_view("apply.before_commit"),
    std::string_view("apply.after_commit"),       std::string_view("apply.between_parts"),
    std::string_view("apply.batch_sent"),         std::string_view("stream.before_feedback"),
    std::string_view("setup.before_slot_noted"),  std::string_view("fence.after_snapshot"),
    std::string_view("join.after_guard"),         std::string_view("join.after_publication"),
    std::string_view("join.before_done"),         std::string_view("leave.after_mark"),
    std::string_view("leave.after_publication"),  std::string_view("repair.before_commit"),
    std::string_view("link.session_ended"),       std::string_view("skip.noted"),
    std::string_view("cutover.checking"),         std::string_view("cutover.arming"),
    std::string_view("cutover.noting"),           std::string_view("cutover.quieting"),
    std::string_view("cutover.freezing"),         std::string_view("cutover.draining"),
    std::string_view("cutover.proving"),          std::string_view("cutover.preparing"),
    std::string_view("cutover.committing"),       std::string_view("cutover.settling"),
    std::string_view("cutover.opening"),          std::string_view("cutover.completing"),
    std::string_view("cutover.withdrawing"),      std::string_view("cutover.noted_once"),
    std::string_view("cutover.closed"),           std::string_view("cutover.done_once"),
    std::string_view("adopt.after_publication"),  std::string_view("link.before_flip"),
};

struct Armed {
  bool kill = false;
  int countdown = 1;
  int sleep_ms = 0;
};

std::atomic<bool> any_armed{false};
std::mutex armed_mutex;
std::map<std::string, Armed, std::less<>> armed;  // guarded by armed_mutex

bool is_known(std::string_view name) {
  return std::find(kFailpoints.begin(), kFailpoints.end(), name) != kFailpoints.end();
}

// A countdown or a duration of zero would never show, and the test that asked for it would pass.
int parse_positive(std::string_view text, std::string_view whole) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value <= 0) {
    throw Error(ErrorKind::config, fmt::format("bad failpoint \"{}\"", whole));
  }
  return value;
}

void arm(std::string_view entry) {
  const size_t equals = entry.find('=');
  const std::string_view name = entry.substr(0, equals);
  if (!is_known(name) || equals == std::string_view::npos) {
    throw Error(ErrorKind::config, fmt::format("unknown failpoint \"{}\"", entry));
  }
  const std::string_view action = entry.substr(equals + 1);
  Armed value;
  if (action == "kill") {
    value.kill = true;
  } else if (action.substr(0, 5) == "kill@") {
    value.kill = true;
    value.countdown = parse_positive(action.substr(5), entry);
  } else if (action.substr(0, 6) == "sleep:") {
    value.sleep_ms = parse_positive(action.substr(6), entry);
  } else {
    throw Error(ErrorKind::config, fmt::format("unknown failpoint action \"{}\"", entry));
  }
  armed[std::string(name)] = value;
}

}  // namespace

void arm_failpoints() {
  const char* text = std::getenv("REPLD_FAILPOINT");
  if (text == nullptr) {
    return;
  }
  const std::lock_guard lock(armed_mutex);
  std::string_view rest = text;
  while (!rest.empty()) {
    const size_t comma = rest.find(',');
    arm(rest.substr(0, comma));
    rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
  }
  any_armed = true;
}

void failpoint(std::string_view name) {
  if (!any_armed.load(std::memory_order_relaxed)) {
    return;
  }
  REPLD_ASSERT(is_known(name));
  int sleep_ms = 0;
  {
    const std::lock_guard lock(armed_mutex);
    const auto found = armed.find(name);
    if (found == armed.end()) {
      return;
    }
    Armed& value = found->second;
    if (value.kill && --value.countdown == 0) {
      std::raise(SIGKILL);
    }
    sleep_ms = value.sleep_ms;
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(sleep_ms));
}

}  // namespace repld
