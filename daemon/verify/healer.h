// Brings rows that an UPDATE should have found on the target, and that it did not bring whole: it
// left columns alone, and nothing has come of those (core/apply_sql writes such rows to
// repld.refetch, in the target transaction that missed them). They are read from the source at a
// held fence, by the code of a repair, and leave the queue in the transaction that brings them.
//   died before its COMMIT   they are still queued
//   died after it            they are there, and not queued any more
//   queued again meanwhile   cannot be: the applier stands still at the fence
//
// A row that is changed, deleted or made anew on the source before it is brought comes as it is at
// the fence, or not at all. On a thread of its own: a verification may take hours.
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "link/link.h"

namespace repld::verify {

class Healer {
 public:
  explicit Healer(link::Link& link) : link_(link) {}  // borrows it
  ~Healer() { stop(); }

  void start();
  void stop();
  // Any thread: there may be rows now.
  void wake();

 private:
  void run(const std::stop_token& stop);
  bool heal(const std::stop_token& stop);  // false: to be tried again

  link::Link& link_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  bool woken_ = false;        // guarded by mutex_
  std::string last_failure_;  // told once, not at every try
  std::jthread thread_;
};

}  // namespace repld::verify
