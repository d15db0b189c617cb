#include "core/xid.h"

#include <algorithm>
#include <charconv>

#include "core/error.h"

namespace repld {

namespace {

// Takes the number before `end` off the front of `text`; `end` zero: all of it.
uint64_t take_number(std::string_view& text, char end, std::string_view whole) {
  const size_t length = end == 0 ? text.size() : text.find(end);
  uint64_t value = 0;
  const char* const last = text.data() + std::min(length, text.size());
  const auto [stopped, failure] = std::from_chars(text.data(), last, value);
  if (length == std::string_view::npos || failure != std::errc() || stopped != last) {
    throw Error(ErrorKind::protocol, "the source printed a snapshot that cannot be read")
        .detail("\"{}\"", whole);
  }
  text.remove_prefix(end == 0 ? length : length + 1);
  return value;
}

}  // namespace

bool xid_precedes(uint32_t xid, uint32_t other) { return static_cast<int32_t>(xid - other) < 0; }

SourceSnapshot SourceSnapshot::parse(std::string_view text) {
  SourceSnapshot snapshot;
  std::string_view rest = text;
  snapshot.xmin_ = take_number(rest, ':', text);
  snapshot.xmax_ = take_number(rest, ':', text);
  for (bool more = !rest.empty(); more;) {
    more = rest.find(',') != std::string_view::npos;
    snapshot.in_progress_.push_back(take_number(rest, more ? ',' : '\0', text));
  }
  std::sort(snapshot.in_progress_.begin(), snapshot.in_progress_.end());
  return snapshot;
}

bool SourceSnapshot::sees(uint32_t xid) const {
  const auto distance = static_cast<int32_t>(xid - static_cast<uint32_t>(xmax_));
  if (distance >= 0) {
    return false;
  }
  const uint64_t full = xmax_ + static_cast<uint64_t>(static_cast<int64_t>(distance));
  return !std::binary_search(in_progress_.begin(), in_progress_.end(), full);
}

}  // namespace repld
