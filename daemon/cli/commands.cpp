#include "cli/commands.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>

#include "cli/render.h"
#include "core/lsn.h"

namespace repld::cli {

namespace {

using Json = nlohmann::json;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kPollInterval{100};

void print(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

int explain_unreachable(const Client& client) {
  fmt::print(stderr, "replctl: no daemon answers on {}\n", client.socket_path());
  return kUnreachable;
}

int explain_no_answer() {
  fmt::print(stderr,
             "replctl: the daemon ended before it answered; whether the command was carried out, "
             "replctl events tells once it runs again\n");
  return kUnreachable;
}

int explain_refusal(const Answer& answer) {
  const Json body = Json::parse(answer.body, nullptr, false);
  if (!body.is_object()) {
    fmt::print(stderr, "replctl: the daemon answered {}\n", answer.status);
    return kRefused;
  }
  fmt::print(stderr, "replctl: {}\n", body.value("error", "refused"));
  for (const char* key : {"detail", "hint"}) {
    const std::string text = body.value(key, "");
    if (!text.empty()) {
      fmt::print(stderr, "  {}: {}\n", key, text);
    }
  }
  return kRefused;
}

}  // namespace

std::optional<int> failure_of(const Client& client, const Answer& answer) {
  if (answer.asked && !answer.reached) {
    return explain_no_answer();
  }
  if (!answer.reached) {
    return explain_unreachable(client);
  }
  return answer.status == 200 ? std::nullopt : std::optional(explain_refusal(answer));
}

namespace {

// Runs `show` on the daemon's status.
template <typename Show>
int with_status(const Client& client, Show&& show) {
  const Answer answer = client.get("/api/v1/status");
  if (!answer.reached) {
    return explain_unreachable(client);
  }
  if (answer.status != 200) {
    return explain_refusal(answer);
  }
  show(answer.body);
  return kDone;
}

// A link that was armed since concerns nobody who asked before.
bool has_reached(const Json& link, const Json& marks) {
  const auto name = link["name"].get<std::string>();
  return !marks.is_null() &&
         (!marks.contains(name) || parse_lsn(link["durable"].get<std::string>()) >=
                                       parse_lsn(marks[name].get<std::string>()));
}

// `marks`: positions by link; null: not known yet.
bool reached_goal(const Json& status, Goal goal, const Json& marks) {
  for (const Json& link : status["links"]) {
    const bool copied = link["copied"].get<bool>();
    switch (goal) {
      case Goal::streaming:
        if (link["state"] != "streaming") return false;
        break;
      case Goal::copied:
        if (!copied) return false;
        break;
      case Goal::caught_up:
        // Only what a living session says: a target that is away may come back older.
        if (!copied || link["state"] != "streaming") return false;
        if (link["incomplete"].get<bool>() || !has_reached(link, marks)) return false;
        break;
    }
  }
  return true;
}

}  // namespace

int show_status(const Client& client, const Output& output) {
  return with_status(client, [&](const std::string& body) {
    print(output.json ? body + "\n" : render_status(Json::parse(body), output.colour));
  });
}

int watch_status(const Client& client, const Output& output) {
  while (true) {
    const int result = with_status(client, [&](const std::string& body) {
      const std::string clear = output.colour ? "\x1b[H\x1b[2J" : "";
      print(output.json ? body + "\n" : clear + render_status(Json::parse(body), output.colour));
    });
    if (result != kDone && result != kUnreachable) {
      return result;
    }
    std::this_thread::sleep_for(std::chrono::seconds(1));
  }
}

int wait_for(const Client& client, const Output& output, Goal goal,
             std::chrono::milliseconds timeout) {
  const auto until = Clock::now() + timeout;
  bool ever_reached = false;
  Json marks;
  while (true) {
    if (goal == Goal::caught_up && marks.is_null()) {
      const Answer answer = client.post(
          "/api/v1/mark",
          std::max(std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now()),
                   std::chrono::milliseconds(100)));
      if (answer.reached && answer.status == 200) {
        marks = Json::parse(answer.body)["links"];
      }
    }
    const Answer answer = client.get("/api/v1/status");
    ever_reached = ever_reached || answer.reached;
    if (answer.status == 200 && reached_goal(Json::parse(answer.body), goal, marks)) {
      print(output.json ? answer.body + "\n" : "reached\n");
      return kDone;
    }
    if (Clock::now() >= until) {
      break;
    }
    std::this_thread::sleep_for(kPollInterval);
  }
  if (!ever_reached) {
    return explain_unreachable(client);
  }
  fmt::print(stderr, "replctl: not reached within {} s\n",
             std::chrono::duration<double>(timeout).count());
  show_status(client, {output.json, false});
  return kTimedOut;
}

int show_tables(const Client& client, const Output& output) {
  return with_status(client, [&](const std::string& body) {
    const Json status = Json::parse(body);
    if (!output.json) {
      print(render_tables(status));
      return;
    }
    Json tables = Json::array();
    for (const Json& link : status["links"]) {
      for (const Json& table : link["tables"]) {
        tables.push_back(table);
      }
    }
    print(Json{{"tables", std::move(tables)}}.dump() + "\n");
  });
}

int show_events(const Client& client, const Output& output, bool follow) {
  int64_t after = 0;
  do {
    const Answer answer = client.get(fmt::format("/api/v1/events?after={}", after));
    if (!answer.reached && !follow) {
      return explain_unreachable(client);
    }
    if (answer.reached && answer.status != 200) {
      return explain_refusal(answer);
    }
    if (answer.reached) {
      const Json body = Json::parse(answer.body);
      for (const Json& event : body["events"]) {
        after = std::max(after, event["id"].get<int64_t>());
        print(output.json ? event.dump() + "\n" : render_event(event));
      }
    }
    if (follow) {
      std::this_thread::sleep_for(std::chrono::milliseconds(500));
    }
  } while (follow);
  return kDone;
}

int send_command(const Client& client, const Output& output, const std::string& name) {
  const Answer answer = client.command("/api/v1/" + name, "", std::nullopt, [] {
    fmt::print(stderr, "replctl: still at work; replctl events tells what it waits for\n");
  });
  if (const auto failure = failure_of(client, answer)) {
    return *failure;
  }
  if (output.json) {
    print(answer.body + "\n");
    return kDone;
  }
  const Json body = Json::parse(answer.body, nullptr, false);
  if (body.is_object() && body.contains("left")) {
    for (const Json& what : body["left"]) {
      print("left: " + what.get<std::string>() + "\n");
    }
  }
  print("done\n");
  return kDone;
}

int resync(const Client& client, const Output& output, const std::vector<std::string>& tables) {
  const Json body = {{"tables", tables}};
  const Answer answer = client.command("/api/v1/resync", body.dump(), std::nullopt, {});
  if (const auto failure = failure_of(client, answer)) {
    return *failure;
  }
  print(output.json ? answer.body + "\n"
                    : "begun; replctl status --wait-for copied tells when it is done\n");
  return kDone;
}

int verify(const Client& client, const Output& output, const VerifyOptions& options) {
  const Json body = {
      {"tables", options.tables}, {"keys", options.keys}, {"dry_run", options.dry_run}};
  const auto began = Clock::now();
  const Answer answer = client.command(options.repair ? "/api/v1/repair" : "/api/v1/verify",
                                       body.dump(), options.timeout, {});
  if (answer.asked && !answer.reached && options.timeout &&
      Clock::now() - began >= *options.timeout) {
    fmt::print(stderr,
               "replctl: not done in time; it goes on, replctl tables --json shows the result\n");
    return kTimedOut;
  }
  if (const auto failure = failure_of(client, answer)) {
    return *failure;
  }
  const Json proofs = Json::parse(answer.body);
  print(output.json ? answer.body + "\n" : render_proofs(proofs, output.colour));
  return proofs["equal"].get<bool>() ? kDone : kRefused;
}

}  // namespace repld::cli
