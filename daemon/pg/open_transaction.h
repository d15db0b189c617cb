// A transaction that stays open between calls, on a session of its own: what is to be committed
// only once something else has happened elsewhere.
//
// Rolled back when it goes, unless commit() has returned. One thread.
#pragma once

#include <memory>
#include <pqxx/pqxx>

#include "pg/session.h"

namespace repld::pg {

class OpenTransaction {
 public:
  // Connects, with our settings. Nothing is begun. Throws Error(connect).
  explicit OpenTransaction(const Server& server);

  void begin();
  // Runs use(transaction), which has begun. After an error it is good for nothing.
  template <typename Use>
  auto run(Use&& use) {
    try {
      return use(*work_);
    } catch (const Error&) {
      throw;
    } catch (...) {
      rethrow_as_error(side_);
    }
  }
  // Throws Error, after which it is not known whether it took place.
  void commit();

 private:
  Side side_;
  pqxx::connection connection_;
  // A user's function may put a row into a warning; by default it would go to stderr.
  pqxx::quiet_errorhandler quiet_{connection_};
  std::unique_ptr<pqxx::work> work_;  // null: not begun
};

}  // namespace repld::pg
