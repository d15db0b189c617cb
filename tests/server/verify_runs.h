// Runs `replctl verify` and reads what it says, and writers for it to run beside.
#pragma once

#include <doctest/doctest.h>

#include <atomic>
#include <functional>
#include <future>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "base/synchronized.h"
#include "support/pair.h"

namespace repld::testing {

inline Outcome run_verify(const Pair& pair, std::vector<std::string> arguments = {}) {
  arguments.insert(arguments.begin(), {"--json", "verify"});
  return pair.daemon.replctl(arguments);
}

// Fails the case when nothing could be compared.
inline nlohmann::json proofs_of(const Pair& pair, const Outcome& outcome) {
  INFO(outcome.err);
  INFO(pair.daemon.status_json());
  REQUIRE(outcome.exit_code <= 1);
  auto json = nlohmann::json::parse(outcome.out, nullptr, false);
  REQUIRE(json.is_object());
  CHECK(json["equal"].get<bool>() == (outcome.exit_code == 0));
  return json;
}

inline nlohmann::json verify(const Pair& pair, std::vector<std::string> arguments = {}) {
  return proofs_of(pair, run_verify(pair, std::move(arguments)));
}

// "a 1/0/0" for each table that is not equal.
inline std::string differences(const nlohmann::json& proofs) {
  std::string text;
  for (const auto& table : proofs["tables"]) {
    const int64_t counts[] = {table["missing"], table["extra"], table["different"]};
    if (counts[0] + counts[1] + counts[2] > 0 || table["unproven"] != "") {
      text += fmt::format("{} {}/{}/{} {};", table["table"].get<std::string>(), counts[0],
                          counts[1], counts[2], table["unproven"].get<std::string>());
    }
  }
  return text;
}

// In the background. The pair must outlive it.
class Verifying {
 public:
  explicit Verifying(const Pair& pair)
      : pair_(pair),
        outcome_(std::async(std::launch::async, [&pair] { return run_verify(pair); })) {}

  bool ends_within(std::chrono::milliseconds time) const {
    return outcome_.wait_for(time) == std::future_status::ready;
  }
  Outcome outcome() { return outcome_.get(); }
  nlohmann::json proofs() { return proofs_of(pair_, outcome()); }

 private:
  const Pair& pair_;
  std::future<Outcome> outcome_;
};

// Sessions of the source that write until destroyed, each a number of its own every time.
class Writers {
 public:
  using Write = std::function<void(pqxx::nontransaction& session, int64_t number)>;

  Writers(const Pair& pair, int sessions, Write write) : write_(std::move(write)) {
    for (int first = 0; first < sessions; ++first) {
      threads_.emplace_back(
          [this, dsn = pair.source.dsn, first, sessions](const std::stop_token& stop) {
            try {
              pqxx::connection connection(dsn);
              pqxx::nontransaction session(connection);
              session.exec("set search_path = public");
              for (int64_t number = first; !stop.stop_requested(); number += sessions) {
                write_(session, number);
                ++written_;
                std::this_thread::sleep_for(2ms);
              }
            } catch (const std::exception& failure) {
              failure_.with([&](std::string& text) { text = failure.what(); });
            }
          });
    }
  }
  // None of them ends early.
  ~Writers() {
    threads_.clear();
    CHECK(failure_.copy() == "");
  }
  Writers(const Writers&) = delete;
  Writers& operator=(const Writers&) = delete;

  int64_t written() const { return written_; }

 private:
  const Write write_;
  std::atomic<int64_t> written_{0};
  Synchronized<std::string> failure_;
  std::vector<std::jthread> threads_;
};

inline double seconds_of(const std::function<void()>& action) {
  const auto began = std::chrono::steady_clock::now();
  action();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
}

}  // namespace repld::testing
