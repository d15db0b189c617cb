#include "core/verify_rows.h"

#include <algorithm>
#include <charconv>
#include <iterator>

#include "core/error.h"

namespace repld {

namespace {

constexpr int64_t kRowsPerBucket = 1000;
constexpr int64_t kBucketsMax = 65536;

// Never what the line says: it may hold values.
Error malformed() { return Error(ErrorKind::protocol, "malformed answer to a comparing query"); }

int64_t number(std::string_view text) {
  int64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc() || end != text.data() + text.size()) {
    throw malformed();
  }
  return value;
}

int64_t number(const std::optional<std::string>& field) {
  if (!field) {
    throw malformed();
  }
  return number(std::string_view(*field));
}

// A sum may have more digits than 64 bits hold; it wraps, as 64-bit sums do.
uint64_t wrapped_number(std::string_view text) {
  const bool negative = text.substr(0, 1) == "-";
  uint64_t value = 0;
  text.remove_prefix(negative ? 1 : 0);
  if (text.empty()) {
    throw malformed();
  }
  for (const char digit : text) {
    if (digit < '0' || digit > '9') {
      throw malformed();
    }
    value = value * 10 + static_cast<uint64_t>(digit - '0');
  }
  return negative ? uint64_t{0} - value : value;
}

char unescaped(char letter) {
  switch (letter) {
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    case 'v': return '\v';
    default: return letter;
  }
}

std::optional<std::string> field_value(std::string_view field) {
  if (field == "\\N") {
    return std::nullopt;
  }
  std::string value;
  value.reserve(field.size());
  for (size_t i = 0; i < field.size(); ++i) {
    if (field[i] != '\\') {
      value += field[i];
    } else if (++i < field.size()) {
      value += unescaped(field[i]);
    } else {
      throw malformed();
    }
  }
  return value;
}

}  // namespace

std::vector<std::optional<std::string>> parse_copy_line(std::string_view line) {
  if (line.ends_with('\n')) {
    line.remove_suffix(1);
  }
  std::vector<std::optional<std::string>> fields;
  for (size_t start = 0; start <= line.size();) {
    const size_t end = std::min(line.find('\t', start), line.size());
    fields.push_back(field_value(line.substr(start, end - start)));
    start = end + 1;
  }
  return fields;
}

ScannedRow parse_scanned_row(std::string_view line) {
  auto fields = parse_copy_line(line);
  if (fields.size() < 2) {
    throw malformed();
  }
  ScannedRow row;
  row.key_hash = number(fields[0]);
  row.digest = number(fields[1]);
  row.key.assign(std::make_move_iterator(fields.begin() + 2),
                 std::make_move_iterator(fields.end()));
  return row;
}

void BucketSums::add(std::string_view line) {
  const auto fields = parse_copy_line(line);
  if (fields.size() != 3 || !fields[2]) {
    throw malformed();
  }
  const int64_t bucket = number(fields[0]);
  if (bucket < 0 || static_cast<size_t>(bucket) >= buckets_.size()) {
    throw malformed();
  }
  buckets_[static_cast<size_t>(bucket)] = {number(fields[1]), wrapped_number(*fields[2])};
}

int64_t BucketSums::rows() const {
  int64_t rows = 0;
  for (const Bucket& bucket : buckets_) {
    rows += bucket.rows;
  }
  return rows;
}

std::vector<int64_t> BucketSums::differing(const BucketSums& other) const {
  REPLD_ASSERT(buckets_.size() == other.buckets_.size());
  std::vector<int64_t> differing;
  for (size_t i = 0; i < buckets_.size(); ++i) {
    if (buckets_[i] != other.buckets_[i]) {
      differing.push_back(static_cast<int64_t>(i));
    }
  }
  return differing;
}

int64_t bucket_count(int64_t rows) {
  int64_t buckets = 1;
  while (buckets < kBucketsMax && buckets * kRowsPerBucket < rows) {
    buckets *= 2;
  }
  return buckets;
}

}  // namespace repld
