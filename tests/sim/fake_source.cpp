#include "sim/fake_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "fuzz/pgoutput_writer.h"
#include "sim/source_changes.h"

namespace repld::sim {

namespace {

constexpr int64_t kCommitTimeUs = 800'000'000'000'000;  // in 2025
constexpr size_t kLargeChanges = 40;
constexpr size_t kBegunMax = 6;
constexpr uint64_t kStandbyPercent = 2;  // of steps in which it answers

}  // namespace

FakeSource::FakeSource(uint64_t seed, SourceOptions options)
    : options_(std::move(options)), seed_(seed), running_(options_.first_xid) {}

bool FakeSource::commit_next(Random& random) {
  while (made_ < options_.transactions && options_.left_out.count(made_) > 0) {
    ++made_;
  }
  if (exhausted()) {
    return false;
  }
  Random content(seed_of(seed_, 1000 + made_));
  SourceTransaction transaction;
  transaction.after = after(history_.size());
  ChangeMaker maker(transaction, Random(content.next()));
  const bool large = content.chance(options_.large_percent);
  const size_t most = large ? kLargeChanges : 5;
  maker.make(std::min(options_.changes_max, static_cast<size_t>(content.below(most + 1))));
  if (content.chance(options_.poison_percent)) {
    maker.make_poison(fmt::format("{}-{}", content.chance(60) ? "poison" : "late", made_));
    maker.make(std::min(options_.changes_max, transaction.changes.size() + content.below(3)));
  }
  if (content.chance(10)) {
    maker.say_marker();
  }
  ++made_;
  const bool standby = random.chance(options_.standby_percent);
  append(std::move(transaction), {0, take_begun(random), standby || random.chance(50), standby},
         random);
  return true;
}

uint64_t FakeSource::take_begun(Random& random) {
  if (begun_.empty() || random.chance(30)) {
    return running_.begin();
  }
  std::swap(begun_[random.below(begun_.size())], begun_.back());
  const uint64_t xid = begun_.back();
  begun_.pop_back();
  return xid;
}

void FakeSource::append(SourceTransaction transaction, Hidden hidden, Random& random) {
  transaction.xid = static_cast<uint32_t>(hidden.xid);
  transaction.commit_time_us = kCommitTimeUs + static_cast<int64_t>(history_.size());
  insert_ += 8 + random.below(200);
  transaction.commit_lsn = Lsn{insert_};
  insert_ += 48;
  transaction.end_lsn = Lsn{insert_};
  hidden.number = history_.size();
  history_.push_back(std::move(transaction));
  hidden_.push_back(hidden);
}

void FakeSource::emit_marker(Random& random) {
  SourceTransaction transaction;
  transaction.after = after(history_.size());
  ChangeMaker(transaction, random).say_marker();
  append(std::move(transaction), {0, running_.begin(), true, false}, random);
  written_ = flushed_ = insert_;
}

uint32_t FakeSource::fresh_xid() {
  const uint64_t xid = running_.begin();
  running_.end(xid);
  return static_cast<uint32_t>(xid);
}

void FakeSource::show(const Hidden& hidden) {
  history_[hidden.number].shown_as = ++shown_;
  running_.end(hidden.xid);
}

void FakeSource::move_on(Random& random) {
  if (!exhausted() && begun_.size() < kBegunMax && random.chance(options_.begin_percent)) {
    begun_.push_back(running_.begin());
  }
  if (!begun_.empty() && random.chance(exhausted() ? 20 : 1)) {
    running_.end(begun_.back());  // without a commit
    begun_.pop_back();
  }
  if (random.chance(options_.flush_percent)) {
    written_ += random.below(insert_ - written_ + 1);
    flushed_ += random.below(written_ - flushed_ + 1);
  } else if (random.chance(options_.flush_percent)) {
    written_ = flushed_ = insert_;
  }
  for (size_t i = hidden_.size(); i-- > 0;) {
    const Hidden hidden = hidden_[i];
    const bool flushed = history_[hidden.number].end_lsn <= flush_lsn();
    if ((flushed || !hidden.flushes) &&
        random.chance(hidden.standby ? kStandbyPercent : options_.show_percent)) {
      hidden_.erase(hidden_.begin() + static_cast<int64_t>(i));
      show(hidden);
    }
  }
}

void FakeSource::restart() {
  confirmed_ = persisted_;
  written_ = flushed_ = insert_;
  for (const Hidden& hidden : std::exchange(hidden_, {})) {
    show(hidden);
  }
  for (const uint64_t xid : std::exchange(begun_, {})) {
    running_.end(xid);
  }
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
  return kPostgresEpochUs + (count == 0 ? 0 : history_[count - 1].commit_time_us);
}

SourceStream::SourceStream(FakeSource& source, Lsn from, bool overlap)
    : source_(source),
      index_(source.count_until(overlap ? source.confirmed() : std::max(from, source.confirmed()))),
      sent_(from) {}

void SourceStream::load(const SourceTransaction& transaction) {
  const auto add = [this](const pgoutput::Message& message) {
    pending_.push_back(fuzz::write_message(message, false));
  };
  add(pgoutput::Begin{transaction.commit_lsn, transaction.commit_time_us, transaction.xid});
  for (const SourceTransaction::Payload& payload : transaction.changes) {
    for (const uint32_t oid : payload.oids) {
      if (described_.insert(oid).second) {
        add(leaves()[leaf_of_oid(oid)].relation);
      }
    }
    pending_.push_back(payload.bytes);
  }
  add(pgoutput::Commit{transaction.commit_lsn, transaction.end_lsn, transaction.commit_time_us});
  std::reverse(pending_.begin(), pending_.end());
}

// Up to the end of a record that it has read.
StreamedKeepalive SourceStream::keepalive(bool reply_requested) const {
  const bool record = index_ < source_.history().size();
  const Lsn next = record ? source_.history()[index_].commit_lsn : source_.flush_lsn();
  return {level() ? std::max(sent_, std::min(source_.flush_lsn(), next)) : sent_, reply_requested};
}

std::optional<Streamed> SourceStream::next(Random& random) {
  if (random.chance(5)) {
    return keepalive(random.chance(20));
  }
  if (pending_.empty()) {
    if (!more()) {
      return random.chance(30) ? std::optional<Streamed>(keepalive(random.chance(20)))
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
