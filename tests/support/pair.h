// A source, a target and a daemon between them: what almost every server test needs.
#pragma once

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <pqxx/pqxx>
#include <string>

#include "pg/session.h"
#include "support/compare.h"
#include "support/daemon.h"
#include "support/eventually.h"
#include "support/platforms.h"

namespace repld::testing {

using namespace std::chrono_literals;

struct PairOptions {
  int source_version = 0;  // 0: as the environment says, see support/platforms.h
  TimewebVariant target_variant = timeweb_variant();
  std::map<std::string, std::string> source_settings;
  std::map<std::string, std::string> target_settings;
  std::string extra;       // TOML sections
  std::string link_extra;  // lines of [link]
};

class Pair {
 public:
  explicit Pair(const PairOptions& options = {})
      : source(supabase_like(options.source_version, options.source_settings)),
        target(timeweb_like(options.target_variant, options.target_settings)),
        daemon(source.remote_dsn, target.remote_dsn, "pair", options.extra, options.link_extra) {}

  // Runs SQL as the customer's role; several statements are one transaction.
  pqxx::result on_source(const std::string& sql) const { return run_sql(source.dsn, sql); }
  pqxx::result on_target(const std::string& sql) const { return run_sql(target.dsn, sql); }
  void on_both(const std::string& sql) const {
    on_source(sql);
    on_target(sql);
  }

  // Starts the daemon and waits until everything is copied and caught up.
  bool begin() {
    daemon.start();
    return daemon.wait_for("caught-up", 60s);
  }
  bool caught_up(std::chrono::seconds timeout = 60s) const {
    return daemon.wait_for("caught-up", timeout);
  }

  // Until it has stopped at what the target refused with that.
  bool paused_with(const std::string& sqlstate, std::chrono::seconds timeout = 20s) const {
    return eventually(timeout, [&] {
      const nlohmann::json shown = link();
      return shown["state"] == "paused" && shown["error"].is_object() &&
             shown["error"]["sqlstate"] == sqlstate;
    });
  }

  // Empty when these tables are equal row by row.
  std::string difference(const std::vector<std::string>& tables) const {
    std::string text;
    for (const std::string& line : compare_databases(source.dsn, target.dsn, tables)) {
      text += line + "\n";
    }
    return text;
  }

  // A write to the target that the guard lets pass, as drift that nobody should cause.
  void past_guard(const std::string& sql) const {
    const std::string nonce = on_target("select guard_nonce from repld.progress")[0][0].c_str();
    on_target("set repld.apply = '" + nonce + "'; " + sql);
  }

  int64_t count(const std::string& dsn, const std::string& what) const {
    return run_sql(dsn, "select count(*) from " + what)[0][0].as<int64_t>();
  }
  // The link's part of /api/v1/status. Waits for a daemon that has just started.
  nlohmann::json link() const {
    nlohmann::json status;
    eventually(10s, [&] {
      status = nlohmann::json::parse(daemon.status_json(), nullptr, false);
      return status.is_object();
    });
    return status.at("links").at(0);
  }
  std::string error_message() const {
    const nlohmann::json error = link()["error"];
    return error.is_null() ? "" : error["message"].get<std::string>();
  }

  static pqxx::result run_sql(const std::string& dsn, const std::string& sql) {
    pqxx::connection connection(dsn);
    return pqxx::nontransaction(connection).exec("set search_path = public;" + sql);
  }

  Platform source;
  Platform target;
  Daemon daemon;
};

// As the platform itself, on the customer's database.
inline void as_admin(const Platform& platform, const std::string& sql) {
  Pair::run_sql(platform.superuser_dsn, sql);
}

// Outside of any transaction block.
inline void run_alone(const std::string& dsn, const std::string& sql) {
  pqxx::connection connection(dsn);
  pqxx::nontransaction(connection).exec(sql);
}

// SQLSTATE that the statement fails with; empty when it succeeds.
inline std::string sqlstate_of(const std::string& dsn, const std::string& sql) {
  try {
    Pair::run_sql(dsn, sql);
    return {};
  } catch (const pqxx::sql_error& failure) {
    return pg::sqlstate_of(failure);
  }
}

}  // namespace repld::testing
