// How we connect: one of the two servers, and the settings that every session of ours pins.
//
// Managed servers come with any settings at all (time zone, timeouts, quoting), and a value that
// is printed under one setting and parsed under another is a wrong value. So each session states
// all that matters in its startup packet, before the first statement can run; pg/pinned asks if it
// arrived, and adds what older servers would refuse there.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/config.h"

namespace repld::pg {

struct Server {
  Side side = Side::source;
  std::string dsn;                      // as configured
  std::optional<std::string> password;  // overrides the DSN's
  // Read anew for every connection, so that a changed password needs no restart; `password` holds
  // while it cannot be read.
  std::string password_file = {};
};

enum class Purpose {
  control,      // control SQL, durable commits
  replication,  // replication=database
  apply,        // batches: asynchronous commits, flush position watched
  copy,         // COPY out and in
  unpinned,     // states no settings, to see what the server gives to others
};

using Parameters = std::vector<std::pair<std::string, std::string>>;

// Empty: there is none.
std::string value_of(const Parameters& parameters, const std::string& keyword);

// Keyword and value pairs for PQconnectdbParams; sslmode is verify-full over a network unless the
// DSN, a service or PGSSLMODE says otherwise. Throws Error(config) when the DSN cannot be parsed,
// or part of a password seems to stand where others would be told; the message never carries it.
Parameters connection_parameters(const Server& server, Purpose purpose);

// The same as one connection string, for libpqxx.
std::string connection_string(const Server& server, Purpose purpose);

// Whether the server answers but takes no sessions: it starts up or, seen from one that had a
// session a moment ago, shuts down. Told by SQLSTATE 57P03, in any language.
bool refuses_sessions(const Server& server);

}  // namespace repld::pg
