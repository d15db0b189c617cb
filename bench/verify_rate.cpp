// Measures verify::Comparison beside a plain hash of the same table on each side, in turns.
//
//   verify_rate SOURCE_DSN TARGET_DSN ROUNDS TABLE...
//
// bench/verify starts the servers and fills the tables, which are equal and have the key `id`.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "pg/catalog.h"
#include "verify/compare.h"

using namespace repld;

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point began) {
  return std::chrono::duration<double>(Clock::now() - began).count();
}

// Writing 5 there starts the peak afresh.
void forget_peak() { std::ofstream("/proc/self/clear_refs") << "5"; }

int64_t peak_kb() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("VmHWM:", 0) == 0) {
      return std::stoll(line.substr(6));
    }
  }
  return 0;
}

ComparedTable compared(const pg::Server& source, const pg::Server& target, const TableName& name) {
  pg::Session session(source);
  const auto tables = session.transact(
      [](pqxx::transaction_base& transaction) { return pg::read_source_tables(transaction); });
  const auto found = std::find_if(tables.begin(), tables.end(),
                                  [&](const SourceTable& table) { return table.name == name; });
  pg::Session other(target);
  return compared_table(*found, *pg::read_target_table(other, name), {"id"});
}

class Transaction {
 public:
  explicit Transaction(const pg::Server& server) : connection_(server) {
    connection_.exec("begin isolation level repeatable read read only");
  }

  double plain_hash(const std::string& table) {
    const auto began = Clock::now();
    connection_.exec("select count(*), bit_xor(hashtextextended(t::text, 0)) from public." + table +
                     " t");
    return seconds_since(began);
  }

  pg::CopyConnection& connection() { return connection_; }

 private:
  pg::CopyConnection connection_;
};

void measure(const pg::Server& source, const pg::Server& target, const std::string& table,
             int rounds) {
  const ComparedTable compared_rows = compared(source, target, {"public", table});
  Transaction ours(source);
  Transaction theirs(target);
  verify::Comparison comparison({source, ours.connection()}, {target, theirs.connection()});
  std::vector<double> ratios;
  for (int round = 0; round < rounds; ++round) {
    const double on_source = ours.plain_hash(table);
    const double on_target = theirs.plain_hash(table);
    const auto began = Clock::now();
    {
      const std::jthread other([&] { theirs.plain_hash(table); });
      ours.plain_hash(table);
    }
    const double at_once = seconds_since(began);
    forget_peak();
    const TableProof proof = comparison.compare(compared_rows, {});
    if (!proof.equal()) {
      throw Error(ErrorKind::internal, "the tables are not equal");
    }
    ratios.push_back(std::max(on_source, on_target) / proof.seconds);
    std::printf(
        "   %-6s %9lld rows  plain: source %.3f s, target %.3f s, both at once %.3f s  "
        "verify: %.3f s, %lld bytes, peak %lld kB  ratio %.2f\n",
        table.c_str(), static_cast<long long>(proof.rows), on_source, on_target, at_once,
        proof.seconds, static_cast<long long>(proof.bytes), static_cast<long long>(peak_kb()),
        ratios.back());
  }
  std::sort(ratios.begin(), ratios.end());
  std::printf("   %-6s median ratio %.2f\n", table.c_str(), ratios[ratios.size() / 2]);
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 5) {
    std::fprintf(stderr, "usage: verify_rate SOURCE_DSN TARGET_DSN ROUNDS TABLE...\n");
    return 2;
  }
  try {
    for (int i = 4; i < count; ++i) {
      measure({Side::source, arguments[1], {}}, {Side::target, arguments[2], {}}, arguments[i],
              std::max(1, std::atoi(arguments[3])));
    }
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "verify_rate: %s\n", failure.what());
    return 1;
  }
  return 0;
}
