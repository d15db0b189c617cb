// Control SQL through libpqxx: catalogs, state tables, DDL. Commits are durable.
//
// Everything that goes wrong comes out as Error, by SQLSTATE. Control SQL touches no rows of
// users' tables, so the server's own words may be repeated.
#pragma once

#include <pqxx/pqxx>
#include <string>
#include <utility>

#include "core/error.h"
#include "pg/server.h"

namespace repld::pg {

// SQLSTATE of a refusal; libpqxx 6 leaves it out where the exception's type says it.
std::string sqlstate_of(const pqxx::sql_error& failure);

// The Error that stands for a libpqxx exception in flight; rethrows what is none.
[[noreturn]] void rethrow_as_error(Side side);

class Session {
 public:
  // Connects, with our settings unless they are not wanted. Throws Error(connect).
  explicit Session(const Server& server, Purpose purpose = Purpose::control);

  // Runs use(transaction) and commits; what it throws rolls back.
  template <typename Use>
  auto transact(Use&& use) {
    return guarded([&] {
      pqxx::work transaction(connection_);
      if constexpr (std::is_void_v<decltype(use(transaction))>) {
        use(transaction);
        transaction.commit();
      } else {
        auto result = use(transaction);
        transaction.commit();
        return result;
      }
    });
  }

  // One statement on its own.
  pqxx::result exec(const std::string& sql) {
    return guarded([&] { return pqxx::nontransaction(connection_).exec(sql); });
  }
  template <typename... Args>
  pqxx::result exec_params(const std::string& sql, Args&&... args) {
    return guarded([&] {
      return pqxx::nontransaction(connection_).exec_params(sql, std::forward<Args>(args)...);
    });
  }

  // Any thread: ends the statement that runs, if one does. Never throws.
  void cancel() noexcept;

  int server_version() const { return connection_.server_version(); }
  Side side() const { return side_; }

 private:
  template <typename Run>
  auto guarded(Run&& run) -> decltype(run()) {
    try {
      return run();
    } catch (const Error&) {
      throw;
    } catch (...) {
      rethrow_as_error(side_);
    }
  }

  Side side_;
  pqxx::connection connection_;
  // A user's function may put a row into a warning; by default it would go to stderr.
  pqxx::quiet_errorhandler quiet_{connection_};
};

}  // namespace repld::pg
