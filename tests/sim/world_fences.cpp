// The fences of a run, what is brought at them, and the monitor that looks at the source.
#include "sim/world.h"

namespace repld::sim {

namespace {

constexpr uint64_t kLookPercent = 8;
constexpr uint64_t kLeapMax = uint64_t{1} << 30;

}  // namespace

// As link/monitor does. Ids run away only while nothing that names old ones can come again.
void World::look_at_source() {
  if (scenario_.fences == 0 || !random_.chance(kLookPercent)) {
    return;
  }
  if (gate_) {
    gate_->seen(SourceSnapshot::parse(source_.snapshot().text));
  }
  if (!fence_ && level() && random_.chance(60)) {
    source_.leap(kLeapMax - random_.below(1000));
  }
}

void World::begin_fence() {
  fence_calm_ = source_.quiet() && arrived();
  FenceTerms terms;
  terms.hold = random_.chance(40);
  if (!fence_calm_) {
    terms.pause_max_ms = 1 + static_cast<int64_t>(random_.below(random_.chance(20) ? 50 : 20'000));
    terms.give_up_after_ms = static_cast<int64_t>(random_.below(60'000));
  }
  fence_ = std::make_unique<SimFence>(source_, target_, gate_, terms, outages_, now_us_ / 1000);
  fence_pace_ = random_.chance(70) ? 2 : 100;
  note("a fence is begun");
}

// The last one is tried until it stands.
void World::end_fence(bool stood) {
  fence_.reset();
  if (stood || fences_left_ > 1) {
    --fences_left_;
  }
}

void World::move_fence() {
  if (!fence_) {
    const uint64_t percent = arrived() ? 5 : scenario_.fence_percent;
    if (gate_ && fences_left_ > 0 && random_.chance(percent)) {
      begin_fence();
    }
    return;
  }
  if (fence_sleeps_ > 0) {
    --fence_sleeps_;
    return;
  }
  fence_sleeps_ = random_.below(fence_pace_);
  woken_ = true;
  try {
    if (fence_->step(outages_, now_us_ / 1000, random_)) {
      return;
    }
    note("{}", fence_->show());
    end_fence(true);
  } catch (const Error& error) {
    note("{}: {} ({})", fence_->show(), error.what(), error.detail());
    if (error.kind() == ErrorKind::refused && fence_calm_) {
      throw Broken(fmt::format("nothing is in the way of a fence, but {}", error.detail()));
    }
    end_fence(false);
  }
}

void World::heal() {
  if (target_.current().refetch.empty() || !random_.chance(2)) {
    return;
  }
  std::vector<std::string> values;
  if (target_.edit([&](TargetState& state) { values = refetch(source_, state); })) {
    note("queued rows are brought");
    for (const std::string& value : values) {
      target_.allow(value);
    }
  }
}

}  // namespace repld::sim
