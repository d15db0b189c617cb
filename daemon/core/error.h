// The one exception type of this program, and what follows from it.
//
// Every error carries a kind, a short primary line (lower case, no full stop), facts as detail
// and, where a person can do something, a hint in full sentences. Row values and secrets never
// enter any of them: nothing that a server says about a failing row is copied verbatim except
// through pg/connection, which keeps SQLSTATE and object names only.
#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "core/lsn.h"

namespace repld {

enum class ErrorKind {
  config,     // the configuration or what it points to is wrong
  connect,    // a server cannot be reached, or went away
  protocol,   // bytes that the wire format does not allow
  schema,     // source and target do not fit together
  conflict,   // the target refused a row, or a row count was not what was due
  slot_lost,  // WAL that the target lacks is gone
  refused,    // asked for something that would not be safe
  internal,   // a broken invariant of our own
};

// What a link does about an error.
enum class Reaction {
  retry,  // reconnect with back-off, by itself
  pause,  // stop, tell, wait for the operator
  exit,   // end the process: nothing that it can do by itself would help
};

class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}

  template <typename... Args>
  Error& detail(fmt::format_string<Args...> format, Args&&... args) {
    detail_ = fmt::format(format, std::forward<Args>(args)...);
    return *this;
  }
  template <typename... Args>
  Error& hint(fmt::format_string<Args...> format, Args&&... args) {
    hint_ = fmt::format(format, std::forward<Args>(args)...);
    return *this;
  }
  Error& sqlstate(std::string_view code) {
    sqlstate_ = code;
    return *this;
  }
  // Only a person can end it, and each try is noticed on the other side: it is tried again rarely.
  Error& lasting(bool value) {
    lasting_ = value;
    return *this;
  }
  // "schema.table" the error is about.
  Error& table(std::string_view name) {
    table_ = name;
    return *this;
  }

  // Commit position of the source transaction the error is about: what `replctl skip` takes.
  Error& transaction(Lsn lsn) {
    transaction_ = lsn;
    return *this;
  }

  ErrorKind kind() const { return kind_; }
  const std::string& detail() const { return detail_; }
  const std::string& hint() const { return hint_; }
  const std::string& sqlstate() const { return sqlstate_; }  // empty when no server said it
  const std::string& table() const { return table_; }
  bool lasting() const { return lasting_; }
  Lsn transaction() const { return transaction_; }  // invalid: about none

 private:
  ErrorKind kind_;
  std::string detail_;
  std::string hint_;
  std::string sqlstate_;
  std::string table_;
  bool lasting_ = false;
  Lsn transaction_ = Lsn::invalid;
};

const char* to_string(ErrorKind kind);

// The single place that says what an error leads to. Default: pause.
Reaction reaction_to(ErrorKind kind);

// Exit code of the daemon for an error that ends it: 2 for config, 1 for the rest.
int exit_code_of(ErrorKind kind);

[[noreturn]] void assertion_failed(const char* condition, const char* file, int line);

}  // namespace repld

// For our own invariants, in release builds too. Bytes from outside give Error(protocol).
#define REPLD_ASSERT(condition) \
  ((condition) ? static_cast<void>(0) : ::repld::assertion_failed(#condition, __FILE__, __LINE__))
