// The session that keeps writers away from the old primary, and closes it: one transaction from the
// first lock to the COMMIT that is the point of no return.
//
// Two locks, one after the other. SHARE UPDATE EXCLUSIVE stalls no writer and is waited for: an
// autovacuum gives way to it only after deadlock_timeout; none begins behind it, nor does DDL.
// EXCLUSIVE then conflicts with nothing but writers, who queue behind whoever waits for it. So it
// is waited for briefly, over and over.
//
// The journal's row is locked from the start, so that whoever wants to know how this ended waits
// until it has. Whatever ends the session ends the freeze: waiting for the second lock and all
// after it may take max_freeze together, no longer, for which the dead-man's switch is set.
#pragma once

#include <chrono>
#include <stop_token>
#include <string>

#include "cutover/blockers.h"
#include "cutover/course.h"
#include "pg/connection.h"

namespace repld::cutover {

class OldPrimary {
 public:
  using Clock = std::chrono::steady_clock;

  // Connects. Throws Error(connect).
  OldPrimary(const pg::Server& server, const Course& course);

  // Throw Error; refused when it was a lock, naming who holds it. The session is then good for
  // nothing.
  void quiet();
  // Returns since when writers wait, at the earliest.
  Clock::time_point freeze(const std::stop_token& stop);

  // Guard, route, journal and COMMIT in one message. Whatever it throws: it is not known whether
  // that took place.
  void close(const std::string& guard_script, std::chrono::milliseconds within);

 private:
  bool try_freeze(std::chrono::milliseconds wait);
  [[noreturn]] void refuse(Lock lock, const std::string& what);

  const pg::Server server_;
  const Course course_;
  const std::string tables_;  // as LOCK TABLE takes them
  pg::Connection connection_;
};

}  // namespace repld::cutover
