// Why a server did not let us in, and what a person can do about it.
//
// By SQLSTATE where one is known, else by words: libpq's own are always English, a server's come
// in its language. What is not recognised gets no hint, and its words are shown as they are.
#pragma once

#include <string>

#include "core/config.h"

namespace repld {

struct ConnectFailure {
  Side side = Side::source;
  bool replication = false;  // a session that asked for replication=database
  std::string message;       // libpq's, all lines; it never holds a password
  std::string sqlstate;      // empty: unknown
  std::string host;
  std::string port;
  std::string user;
  std::string database;
  std::string root_certificate;  // sslrootcert
};

struct ConnectAdvice {
  std::string sqlstate;  // as given, or recognised from English words
  std::string hint;      // empty: nothing is known about it
  // The server was there and said no, and will until a person mends it. Asking again and again is
  // one more wrong password each time, which providers answer by locking the address out.
  bool lasting = false;
};

ConnectAdvice advise(const ConnectFailure& failure);

// libpq reports every address and every attempt on lines of their own; the last one is where it
// gave up. One line, which a message can end with.
std::string last_attempt(const std::string& message);

// Which part of the address belongs to a connection pooler; empty when nothing looks like it.
std::string pooler_part(const std::string& host, const std::string& port, const std::string& user);

// What to do about a refusal that has nothing to do with a row or a table: empty when its own
// words are enough.
std::string advice_on_sqlstate(const std::string& sqlstate);

}  // namespace repld
