#include "core/verify_merge.h"

#include <algorithm>
#include <map>

#include "core/error.h"

namespace repld {

namespace {

// A stream with its next row in view.
class Reader {
 public:
  explicit Reader(const RowStream& stream) : stream_(stream), next_(stream_()) {}

  const std::optional<ScannedRow>& next() const { return next_; }

  ScannedRow take() {
    ScannedRow row = std::move(*next_);
    next_ = stream_();
    if (next_ && next_->key_hash < row.key_hash) {
      throw Error(ErrorKind::internal, "rows to compare came out of order");
    }
    return row;
  }

 private:
  const RowStream& stream_;
  std::optional<ScannedRow> next_;
};

// A row without a key is listed whole, and may be large.
constexpr size_t kListedBytesMax = 8 << 20;

class Listing {
 public:
  Listing(size_t rows_max, TableProof& proof) : rows_max_(rows_max), proof_(proof) {}

  void add(const DifferingRow& row, int64_t times) {
    for (int64_t i = 0; i < times && has_room_for(row); ++i) {
      bytes_ += bytes_of(row);
      proof_.listed.push_back(row);
    }
  }

 private:
  static size_t bytes_of(const DifferingRow& row) {
    size_t bytes = 0;
    for (const auto& value : row.key) {
      bytes += value ? value->size() : 0;
    }
    return bytes;
  }

  bool has_room_for(const DifferingRow& row) const {
    return proof_.listed.size() < rows_max_ && bytes_ + bytes_of(row) <= kListedBytesMax;
  }

  size_t rows_max_;
  size_t bytes_ = 0;
  TableProof& proof_;
};

// How many more rows of a digest the source has than the target.
using Balances = std::map<int64_t, int64_t>;

class Group {
 public:
  void add(ScannedRow row, int64_t rows) { keys_[std::move(row.key)][row.digest] += rows; }

  void report(Listing& listing, TableProof& proof) const {
    for (const auto& [key, balances] : keys_) {
      int64_t source = 0;
      int64_t target = 0;
      for (const auto& [digest, balance] : balances) {
        source += std::max<int64_t>(balance, 0);
        target += std::max<int64_t>(-balance, 0);
      }
      const int64_t different = std::min(source, target);
      proof.different += different;
      proof.missing += source - different;
      proof.extra += target - different;
      listing.add({RowDifference::different, key}, different);
      listing.add({RowDifference::missing, key}, source - different);
      listing.add({RowDifference::extra, key}, target - different);
    }
  }

 private:
  std::map<KeyTexts, Balances> keys_;
};

}  // namespace

void merge_rows(const RowStream& source, const RowStream& target, size_t listed_max,
                TableProof& proof) {
  Listing listing(listed_max, proof);
  Reader left(source);
  Reader right(target);
  while (left.next() || right.next()) {
    const int64_t hash = !right.next()  ? left.next()->key_hash
                         : !left.next() ? right.next()->key_hash
                                        : std::min(left.next()->key_hash, right.next()->key_hash);
    Group group;
    while (left.next() && left.next()->key_hash == hash) {
      group.add(left.take(), 1);
    }
    while (right.next() && right.next()->key_hash == hash) {
      group.add(right.take(), -1);
    }
    group.report(listing, proof);
  }
}

}  // namespace repld
