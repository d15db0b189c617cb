#include "cli/cutover.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>
#include <thread>

#include "cli/render_cutover.h"
#include "core/error.h"

namespace repld::cli {

namespace {

using Json = nlohmann::json;

constexpr std::chrono::milliseconds kPoll{50};
constexpr std::chrono::seconds kHookTimeout{60};

class Cutover {
 public:
  Cutover(const Client& client, const Output& output, const CutoverOptions& options)
      : client_(client), output_(output), options_(options) {}

  int run();

 private:
  Json ask(bool dry_run, const std::string& id);
  Json follow(int64_t number, bool shown);
  bool confirmed() const;
  bool run_hook(const char* name, const std::vector<std::string>& argv, const std::string& primary,
                const std::string& id);
  void show(const Json& cutover, size_t from) const;
  // What is none of the document that --json prints.
  std::FILE* aside() const { return output_.json ? stderr : stdout; }
  const char* side(bool after) const { return options_.rollback == after ? "source" : "target"; }

  const Client& client_;
  const Output& output_;
  const CutoverOptions& options_;
  int failure_ = kRefused;
};

// Gives the order and waits until it is over; null when it was not taken, which was explained.
Json Cutover::ask(bool dry_run, const std::string& id) {
  const Json body = {{"group", options_.group},
                     {"dry_run", dry_run},
                     {"id", id},
                     {"without_reverse", options_.without_reverse},
                     {"max_freeze_ms", options_.max_freeze_ms.value_or(0)}};
  const Answer answer = client_.command(options_.rollback ? "/api/v1/rollback" : "/api/v1/cutover",
                                        body.dump(), std::nullopt, {});
  if (const auto failure = failure_of(client_, answer)) {
    failure_ = *failure;
    return nullptr;
  }
  return follow(Json::parse(answer.body).at("number").get<int64_t>(), !dry_run);
}

// Null when the daemon is gone, or knows of another one.
Json Cutover::follow(int64_t number, bool shown) {
  size_t seen = 0;
  bool hooked = false;
  while (true) {
    const Answer answer = client_.get("/api/v1/cutover");
    if (!answer.reached || answer.status != 200) {
      failure_ = *failure_of(client_, {true, false, 0, ""});
      return nullptr;
    }
    Json cutover = Json::parse(answer.body);
    if (!cutover.is_object() || cutover["number"] != number) {
      fmt::print(stderr, "replctl: the daemon was started anew meanwhile; see replctl events\n");
      return nullptr;
    }
    const bool running = cutover["running"].get<bool>();
    const size_t steps = finished_steps(cutover);
    if (shown && !output_.json && steps > seen) {
      show(cutover, seen);
      seen = steps;
    }
    // The applications need not wait for foreign keys to be validated.
    if (shown && !hooked && (cutover["state"] == "completing" || cutover["state"] == "completed")) {
      hooked = true;
      run_hook(options_.rollback ? "after_rollback" : "after_flip",
               options_.rollback ? options_.hooks.after_rollback : options_.hooks.after_flip,
               side(true), cutover["id"].get<std::string>());
    }
    if (!running) {
      return cutover;
    }
    std::this_thread::sleep_for(kPoll);
  }
}

void Cutover::show(const Json& cutover, size_t from) const {
  const std::string text = render_steps(cutover, from);
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

bool Cutover::confirmed() const {
  if (options_.yes) {
    return true;
  }
  fmt::print(aside(),
             "From now on group {} is written on the {}. Writers wait for a moment.\n"
             "Type yes to go on: ",
             options_.group, side(true));
  std::fflush(aside());
  std::string answer;
  std::getline(std::cin, answer);
  if (answer != "yes") {
    fmt::print(stderr, "replctl: nothing was changed\n");
  }
  return answer == "yes";
}

// What came of it goes into the events.
bool Cutover::run_hook(const char* name, const std::vector<std::string>& argv,
                       const std::string& primary, const std::string& id) {
  if (argv.empty()) {
    return true;
  }
  std::string text;
  bool well = false;
  try {
    const HookResult result = options_.run_hook({argv, options_.group, primary, id}, kHookTimeout);
    well = result.exit_code == 0 && !result.timed_out;
    text = fmt::format("{} {}: {}", name, argv.front(),
                       result.timed_out ? "did not end in time and was ended"
                                        : fmt::format("exit code {}", result.exit_code));
    std::string output = result.output;
    std::replace(output.begin(), output.end(), '\n', ' ');
    if (!output.empty()) {
      text += "; it said: " + output;
    }
  } catch (const Error& error) {
    text = fmt::format("{}: {} {}", name, error.what(), error.detail());
  }
  client_.command("/api/v1/hook", Json{{"text", text}}.dump(), std::chrono::seconds(10), {});
  fmt::print(well ? aside() : stderr, "{}{}\n", well ? "  " : "replctl: ", text);
  return well;
}

int Cutover::run() {
  if (!options_.yes && !options_.dry_run && ::isatty(STDIN_FILENO) == 0) {
    fmt::print(stderr, "replctl: this moves the applications' database; say --yes\n");
    return kUsage;
  }
  const Json rehearsed = ask(true, "");
  if (rehearsed.is_null()) {
    return failure_;
  }
  const bool possible = rehearsed.at("failure").is_null();
  if (options_.dry_run || !possible) {
    fmt::print(
        "{}", output_.json ? rehearsed.dump() + "\n" : render_rehearsal(rehearsed, output_.colour));
    return possible ? kDone : kRefused;
  }
  if (!output_.json) {
    fmt::print("{}", render_cutover_findings(rehearsed, output_.colour));
  }
  const auto id = rehearsed.at("id").get<std::string>();
  if (!confirmed() || !run_hook("before_freeze", options_.hooks.before_freeze, side(false), id)) {
    return kRefused;
  }
  const Json cutover = ask(false, id);
  if (cutover.is_null()) {
    return failure_;
  }
  fmt::print("{}", output_.json ? cutover.dump() + "\n" : render_outcome(cutover, output_.colour));
  return cutover.at("state") == "completed" ? kDone : kRefused;
}

}  // namespace

int cutover(const Client& client, const Output& output, const CutoverOptions& options) {
  return Cutover(client, output, options).run();
}

}  // namespace repld::cli
