// What the writer can do: a table of named pieces of SQL, drawn by weight.
//
// Inside the SQL, `@n` stands for a fresh random number from 0 to 999999 and `@pick(table.key)`
// for the key of some existing row, so that the same seed gives the same statements.
#pragma once

#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace repld::demo {

struct Operation {
  const char* name;
  int weight;
  bool extreme;  // only with --extreme
  const char* sql;
};

std::vector<Operation> salon_operations();
std::vector<Operation> pagila_operations();

class Dice {
 public:
  explicit Dice(uint64_t seed) : engine_(seed) {}

  int below(int limit) { return std::uniform_int_distribution<int>(0, limit - 1)(engine_); }
  bool percent(int chance) { return below(100) < chance; }

 private:
  std::mt19937_64 engine_;
};

// One of `operations`, which is not empty.
const Operation& draw(const std::vector<Operation>& operations, Dice& dice);

// Replaces @n and @pick(...).
std::string fill_in(std::string_view sql, Dice& dice);

}  // namespace repld::demo
