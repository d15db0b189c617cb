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

// How many more rows of a digest the source has than the target.
using Balances = std::map<int64_t, int64_t>;

class Group {
 public:
  void add(ScannedRow row, int64_t rows) { keys_[std::move(row.key)][row.digest] += rows; }

  void report(size_t listed_max, TableProof& proof) const {
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
      list({RowDifference::different, key}, different, listed_max, proof);
      list({RowDifference::missing, key}, source - different, listed_max, proof);
      list({RowDifference::extra, key}, target - different, listed_max, proof);
    }
  }

 private:
  static void list(const DifferingRow& row, int64_t rows, size_t listed_max, TableProof& proof) {
    for (int64_t i = 0; i < rows && proof.listed.size() < listed_max; ++i) {
      proof.listed.push_back(row);
    }
  }

  std::map<KeyTexts, Balances> keys_;
};

}  // namespace

void merge_rows(const RowStream& source, const RowStream& target, size_t listed_max,
                TableProof& proof) {
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
    group.report(listed_max, proof);
  }
}

}  // namespace repld
