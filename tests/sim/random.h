// The one source of chance in a simulation: the same seed gives the same run on every machine.
#pragma once

#include <cstdint>

namespace repld::sim {

// splitmix64.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  uint64_t next() {
    state_ += 0x9E3779B97F4A7C15ULL;
    uint64_t mixed = state_;
    mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9ULL;
    mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBULL;
    return mixed ^ (mixed >> 31);
  }
  // 0 .. bound - 1; bound > 0.
  uint64_t below(uint64_t bound) { return next() % bound; }
  bool chance(uint64_t percent) { return below(100) < percent; }

  template <typename List>
  const auto& pick(const List& list) {
    return list[below(list.size())];
  }

 private:
  uint64_t state_;
};

// Seed of an independent stream of a run.
inline uint64_t seed_of(uint64_t seed, uint64_t stream) {
  return Random(seed ^ (stream << 40)).next();
}

}  // namespace repld::sim
