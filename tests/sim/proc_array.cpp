#include "sim/proc_array.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace repld::sim {

namespace {

constexpr uint64_t kFirstNormalXid = 3;
// A server stops well before ids are ambiguous.
constexpr uint64_t kOldestAllowed = (uint64_t{1} << 31) - 1'000'000;

}  // namespace

uint64_t ProcArray::begin() {
  if (static_cast<uint32_t>(next_) < kFirstNormalXid) {
    next_ += kFirstNormalXid - static_cast<uint32_t>(next_);
  }
  running_.insert(next_);
  return next_++;
}

void ProcArray::end(uint64_t xid) {
  running_.erase(xid);
  ended_ = std::max(ended_, xid);
}

void ProcArray::leap(uint64_t ids) {
  if (running_.empty() || next_ + ids - *running_.begin() < kOldestAllowed) {
    next_ += ids;
    end(begin());
  }
}

std::string ProcArray::snapshot() const {
  const uint64_t xmax = ended_ + 1;
  std::vector<uint64_t> listed(running_.begin(), running_.lower_bound(xmax));
  const uint64_t xmin = listed.empty() ? xmax : listed.front();
  return fmt::format("{}:{}:{}", xmin, xmax, fmt::join(listed, ","));
}

}  // namespace repld::sim
