// Runs `replctl doctor` and reads what it says.
#pragma once

#include <nlohmann/json.hpp>
#include <pqxx/pqxx>
#include <set>
#include <string>
#include <vector>

#include "support/pair.h"

namespace repld::testing {

struct Finding {
  std::string severity;
  std::string check;
  std::string side;
  std::string what;
  std::string sql;
  std::string role;
  std::string effect;
};

class Preflight {
 public:
  explicit Preflight(const Daemon& daemon)
      : outcome(daemon.replctl({"--json", "doctor"})),
        report(nlohmann::json::parse(outcome.out, nullptr, false)) {}

  // Of these severities; what is as it should be is left out.
  std::vector<Finding> problems(const std::set<std::string>& severities = {"error",
                                                                           "warning"}) const {
    std::vector<Finding> list;
    if (!report.is_object()) {
      throw std::runtime_error("doctor printed no report: " + outcome.out + outcome.err);
    }
    for (const auto& each : report["findings"]) {
      if (severities.count(each["severity"].get<std::string>()) > 0) {
        list.push_back({each["severity"], each["check"], each["side"], each["what"], each["sql"],
                        each["role"], each["effect"]});
      }
    }
    return list;
  }
  std::vector<Finding> errors() const { return problems({"error"}); }

  // Those that `before` did not have.
  std::vector<Finding> new_since(const Preflight& before) const {
    std::set<std::string> known;
    for (const Finding& finding : before.problems()) {
      known.insert(finding.side + finding.what);
    }
    std::vector<Finding> fresh;
    for (const Finding& finding : problems()) {
      if (known.count(finding.side + finding.what) == 0) {
        fresh.push_back(finding);
      }
    }
    return fresh;
  }

  Outcome outcome;
  nlohmann::json report;
};

inline std::string text_of(const std::vector<Finding>& findings) {
  std::string text;
  for (const Finding& finding : findings) {
    text +=
        finding.side + " " + finding.severity + " [" + finding.check + "] " + finding.what + "\n";
  }
  return text;
}

// SQL that only gives or makes something takes nothing from an application; any other has to say
// what it does.
inline bool tells_its_effect(const Finding& finding) {
  const bool adds = finding.sql.rfind("grant ", 0) == 0 || finding.sql.rfind("create ", 0) == 0;
  return adds || !finding.effect.empty();
}

// A session of that role: by its own login where the platform gives one to its customer, else with
// the rights of the role, as whoever logs in as it would have them.
class RoleSession {
 public:
  RoleSession(const Platform& platform, const std::string& role)
      : connection_(role == platform.user ? platform.dsn : platform.superuser_dsn) {
    if (role != platform.user) {
      exec("set session authorization " + connection_.quote_name(role));
    }
    const std::string who =
        pqxx::nontransaction(connection_).exec("select session_user")[0][0].c_str();
    if (who != role) {
      throw std::runtime_error("a finding names role \"" + role + "\", the session has " + who);
    }
  }
  void exec(const std::string& statement) { pqxx::nontransaction(connection_).exec(statement); }

 private:
  pqxx::connection connection_;
};

// Runs what a finding says, where and as whom it says, a statement at a time as psql would.
inline void mend(const Pair& pair, const Finding& finding) {
  RoleSession session(finding.side == "source" ? pair.source : pair.target, finding.role);
  std::string statement;
  for (const char c : finding.sql + "\n") {
    if (c == '\n' && !statement.empty() && statement.back() == ';') {
      session.exec(statement);
      statement.clear();
    } else {
      statement += c;
    }
  }
}

}  // namespace repld::testing
