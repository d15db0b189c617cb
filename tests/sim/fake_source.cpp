#include "sim/fake_source.h"

#include <fmt/format.h>

#include <algorithm>

#include "fuzz/pgoutput_writer.h"
#include "sim/source_changes.h"

namespace repld::sim {

namespace {

constexpr uint32_t kFirstXid = 700;
constexpr int64_t kCommitTimeUs = 800'000'000'000'000;  // in 2025
constexpr size_t kLargeChanges = 40;

}  // namespace

FakeSource::FakeSource(uint64_t seed, SourceOptions options)
    : options_(std::move(options)), seed_(seed) {}

bool FakeSource::commit_next() {
  while (made_ < options_.transactions && options_.left_out.count(made_) > 0) {
    ++made_;
  }
  if (exhausted()) {
    return false;
  }
  Random random(seed_of(seed_, 1000 + made_));
  SourceTransaction transaction;
  transaction.xid = kFirstXid + static_cast<uint32_t>(made_);
  transaction.after = after(history_.size());
  ChangeMaker maker(transaction, Random(random.next()));
  const bool large = random.chance(options_.large_percent);
  const size_t most = large ? kLargeChanges : 5;
  maker.make(std::min(options_.changes_max, static_cast<size_t>(random.below(most + 1))));
  if (random.chance(options_.poison_percent)) {
    maker.make_poison(fmt::format("{}-{}", random.chance(60) ? "poison" : "late", made_));
    maker.make(std::min(options_.changes_max, transaction.changes.size() + random.below(3)));
  }
  if (random.chance(10)) {
    maker.say_marker();
  }
  insert_ += 8 + random.below(200);
  transaction.commit_lsn = Lsn{insert_};
  insert_ += 48;
  transaction.end_lsn = Lsn{insert_};
  history_.push_back(std::move(transaction));
  ++made_;
  return true;
}

size_t FakeSource::count_until(Lsn position) const {
  const auto end = std::upper_bound(
      history_.begin(), history_.end(), position,
      [](Lsn lsn, const SourceTransaction& transaction) { return lsn < transaction.end_lsn; });
  return static_cast<size_t>(end - history_.begin());
}

int64_t FakeSource::commit_time_us(Lsn position) const {
  constexpr int64_t kPostgresEpochUs = 946'684'800'000'000;
  const size_t count = count_until(position);
  return kPostgresEpochUs + kCommitTimeUs + (count == 0 ? 0 : history_[count - 1].xid);
}

SourceStream::SourceStream(FakeSource& source, Lsn from, bool overlap)
    : source_(source),
      index_(source.count_until(overlap ? source.confirmed() : std::max(from, source.confirmed()))),
      sent_(from) {}

void SourceStream::load(const SourceTransaction& transaction) {
  const auto add = [this](const pgoutput::Message& message) {
    pending_.push_back(fuzz::write_message(message, false));
  };
  add(pgoutput::Begin{transaction.commit_lsn, kCommitTimeUs + transaction.xid, transaction.xid});
  for (const SourceTransaction::Payload& payload : transaction.changes) {
    for (const uint32_t oid : payload.oids) {
      if (described_.insert(oid).second) {
        add(leaves()[leaf_of_oid(oid)].relation);
      }
    }
    pending_.push_back(payload.bytes);
  }
  add(pgoutput::Commit{transaction.commit_lsn, transaction.end_lsn,
                       kCommitTimeUs + transaction.xid});
  std::reverse(pending_.begin(), pending_.end());
}

StreamedKeepalive SourceStream::keepalive(bool reply_requested) const {
  return {level() ? std::max(sent_, source_.insert_lsn()) : sent_, reply_requested};
}

std::optional<Streamed> SourceStream::next(Random& random) {
  if (random.chance(5)) {
    return keepalive(random.chance(20));
  }
  if (pending_.empty()) {
    if (index_ >= source_.history().size()) {
      return random.chance(10) ? std::optional<Streamed>(keepalive(random.chance(20)))
                               : std::nullopt;
    }
    // A description may come again: its relation was altered, or the server's cache forgot it.
    if (random.chance(10)) {
      described_.clear();
    }
    load(source_.history()[index_++]);
  }
  std::string payload = std::move(pending_.back());
  pending_.pop_back();
  if (pending_.empty()) {
    sent_ = std::max(sent_, source_.history()[index_ - 1].end_lsn);
  }
  return payload;
}

}  // namespace repld::sim
