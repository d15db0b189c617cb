// What tests of links through publications of somebody else say often.
#pragma once

#include <fstream>
#include <stdexcept>
#include <string>

#include "support/pair.h"

namespace repld::testing {

inline PairOptions through(const std::string& publications, const std::string& extra = "") {
  PairOptions options;
  options.link_extra = "create_publication = false\npublications = [" + publications + "]";
  options.extra = extra;
  return options;
}

// What a query gives, as one text.
inline std::string rows(const std::string& dsn, const std::string& query) {
  const auto result =
      Pair::run_sql(dsn, "select string_agg(q::text, ' ' order by q::text) from (" + query + ") q");
  return result[0][0].is_null() ? "" : result[0][0].c_str();
}

inline std::string events(const Pair& pair) { return pair.daemon.replctl({"events"}).out; }

inline bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

inline bool stops_with(const Pair& pair, const std::string& message,
                       std::chrono::seconds timeout = 20s) {
  return eventually(timeout, [&] { return has(pair.error_message(), message); });
}

// Ends the session and begins another, which looks at everything anew.
inline void begin_again(const Pair& pair) {
  const bool done = pair.daemon.replctl({"pause"}).exit_code == 0 &&
                    pair.daemon.wait_for_state("paused", 10s) &&
                    pair.daemon.replctl({"resume"}).exit_code == 0;
  if (!done) {
    throw std::runtime_error("the link did not pause and resume");
  }
}

inline std::string catalogs(const Pair& pair) {
  return rows(pair.source.dsn,
              "select p, obj_description(p.oid, 'pg_publication'), "
              "array(select r from pg_publication_rel r where r.prpubid = p.oid order by r.oid) "
              "from pg_publication p");
}

inline void replace_in_config(const Daemon& daemon, const std::string& from,
                              const std::string& to) {
  std::string text = read_file(daemon.config_path());
  const size_t at = text.find(from);
  if (at == std::string::npos) {
    throw std::runtime_error("the configuration does not have: " + from);
  }
  std::ofstream(daemon.config_path(), std::ios::trunc) << text.replace(at, from.size(), to);
}

}  // namespace repld::testing
