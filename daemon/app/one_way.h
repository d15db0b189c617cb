// One direction with all that belongs to it: the link, what proves its tables, what brings rows
// that were missing. The daemon has two: forward, and the way back, which rests until it is armed.
#pragma once

#include <functional>

#include "base/metrics.h"
#include "link/link.h"
#include "verify/healer.h"
#include "verify/verifier.h"

namespace repld::app {

class OneWay {
 public:
  using Exit = std::function<void(int exit_code)>;

  // `forward`: null, or this is the way back of that one, which it outlives. Borrows the metrics of
  // all links. `exit`: after an error that only a person can mend.
  OneWay(const link::Settings& settings, const Metrics& all, Exit exit, OneWay* forward = nullptr);

  void start();
  // First all but the link, for which others may still ask.
  void stop_working();
  void stop() { link_.stop(); }

  link::Link& link() { return link_; }
  const link::Link& link() const { return link_; }
  verify::Verifier& verifier() { return verifier_; }

 private:
  link::Hooks hooks();
  void copy_tables(const link::CopyRequest& request);

  Metrics metrics_;  // with the label of this link
  const Exit exit_;
  OneWay* opposite_;
  link::Link link_;
  verify::Verifier verifier_;
  verify::Healer healer_;
};

// Of both directions, as far as they are set up.
template <typename Do>
void for_each_link(OneWay& forward, OneWay& back, Do&& act) {
  act(forward.link());
  if (!back.link().is_resting()) {
    act(back.link());
  }
}

// Settings of the way back.
link::Settings mirrored(const link::Settings& settings);

}  // namespace repld::app
