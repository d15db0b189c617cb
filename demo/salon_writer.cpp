// salon_writer: imitates the application, for the demo and the soak test.
//
// Exit codes: 0 ran as asked, 1 the server refused something the writer did not expect.
#include <CLI/CLI.hpp>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <exception>
#include <future>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "worker.h"

namespace {

using repld::demo::Operation;
using repld::demo::WorkerCounts;
using repld::demo::WorkerSettings;

std::atomic<bool> stop{false};
static_assert(std::atomic<bool>::is_always_lock_free);

struct Options {
  std::string dsn;
  std::string workload = "salon";
  int workers = 4;
  double seconds = 0;
  double rate = 0;
  uint64_t seed = 1;
  bool extreme = false;
};

std::vector<Operation> operations_of(const Options& options) {
  std::vector<Operation> operations = options.workload == "pagila"
                                          ? repld::demo::pagila_operations()
                                          : repld::demo::salon_operations();
  if (!options.extreme) {
    std::erase_if(operations, [](const Operation& operation) { return operation.extreme; });
  }
  return operations;
}

WorkerCounts write(const Options& options) {
  std::vector<std::future<WorkerCounts>> workers;
  for (int i = 0; i < options.workers; i++) {
    WorkerSettings settings;
    settings.dsn = options.dsn;
    settings.operations = operations_of(options);
    settings.rate = options.rate / options.workers;
    settings.rollback_percent = options.extreme ? 2 : 0;
    settings.seed = options.seed * 1000 + static_cast<uint64_t>(i);
    workers.push_back(std::async(std::launch::async, [settings = std::move(settings)] {
      return repld::demo::run_worker(settings, stop);
    }));
  }
  const auto started = std::chrono::steady_clock::now();
  const std::chrono::duration<double> length(options.seconds);
  while (!stop && (options.seconds <= 0 || std::chrono::steady_clock::now() - started < length)) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  stop = true;

  WorkerCounts total;
  for (auto& worker : workers) total.add(worker.get());
  return total;
}

void print(const WorkerCounts& counts) {
  for (const auto& [name, count] : counts.operations) {
    std::printf("%8lld  %s\n", static_cast<long long>(count), name.c_str());
  }
  std::printf(
      "%lld committed, %lld rolled back, %lld conflicts, %lld connections lost, %lld unexpected\n",
      static_cast<long long>(counts.committed), static_cast<long long>(counts.rolled_back),
      static_cast<long long>(counts.conflicts), static_cast<long long>(counts.lost),
      static_cast<long long>(counts.unexpected));
}

int run(int argc, char** argv) {
  Options options;
  CLI::App app("Writes to a sample database as its application would.");
  app.add_option("--dsn", options.dsn, "database to write to")->required();
  app.add_option("--workload", options.workload, "salon or pagila")
      ->check(CLI::IsMember({"salon", "pagila"}));
  app.add_option("--workers", options.workers, "sessions")->check(CLI::Range(1, 100));
  app.add_option("--seconds", options.seconds, "how long; 0: until SIGTERM");
  app.add_option("--rate", options.rate, "transactions per second; 0: as fast as it goes");
  app.add_option("--seed", options.seed, "same seed, same statements");
  app.add_flag("--extreme", options.extreme, "truncates, key changes, savepoints, rollbacks too");
  CLI11_PARSE(app, argc, argv);

  for (const int signal : {SIGTERM, SIGINT}) {
    std::signal(signal, [](int) { stop = true; });
  }
  const WorkerCounts counts = write(options);
  print(counts);
  return counts.unexpected == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "salon_writer: %s\n", failure.what());
    return 1;
  }
}
