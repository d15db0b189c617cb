// replctl's verbs. Each prints to stdout, explains failures on stderr, and returns the exit code:
// 0 done, equal, ready · 1 refused or failed · 2 usage · 3 daemon not reachable · 4 timed out.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "cli/client.h"

namespace repld::cli {

inline constexpr int kDone = 0;
inline constexpr int kRefused = 1;
inline constexpr int kUsage = 2;
inline constexpr int kUnreachable = 3;
inline constexpr int kTimedOut = 4;

struct Output {
  bool json = false;
  bool colour = false;
};

// Of a command, explained; nothing when it was carried out.
std::optional<int> failure_of(const Client& client, const Answer& answer);

enum class Goal { streaming, copied, caught_up };

int show_status(const Client& client, const Output& output);
// Repeats show_status every second until interrupted.
int watch_status(const Client& client, const Output& output);
// Keeps waiting while a server or the daemon is away.
int wait_for(const Client& client, const Output& output, Goal goal,
             std::chrono::milliseconds timeout);
int show_tables(const Client& client, const Output& output);
int show_events(const Client& client, const Output& output, bool follow);
struct VerifyOptions {
  bool repair = false;              // mend what differs, then compare again
  bool dry_run = false;             // of a repair: only say what differs
  std::vector<std::string> tables;  // empty: all
  bool keys = false;                // print those of rows that differ
  std::optional<std::chrono::milliseconds> timeout;
};
// Compares now and waits: done when all are equal.
int verify(const Client& client, const Output& output, const VerifyOptions& options);
int resync(const Client& client, const Output& output, const std::vector<std::string>& tables);
// pause, resume, skip and finalize with their queries. Also prints what the daemon left to do by
// hand.
int send_command(const Client& client, const Output& output, const std::string& name);

}  // namespace repld::cli
