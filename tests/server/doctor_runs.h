// Runs `replctl doctor` and reads what it says.
#pragma once

#include <nlohmann/json.hpp>
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
                        each["role"]});
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

// Runs what a finding says, where and as whom it says, a statement at a time as psql would.
inline void mend(const Pair& pair, const Finding& finding) {
  const Platform& platform = finding.side == "source" ? pair.source : pair.target;
  pqxx::connection connection(finding.role == platform.user ? platform.dsn
                                                            : platform.superuser_dsn);
  std::string statement;
  for (const char c : finding.sql + "\n") {
    if (c == '\n' && !statement.empty() && statement.back() == ';') {
      pqxx::nontransaction(connection).exec(statement);
      statement.clear();
    } else {
      statement += c;
    }
  }
}

}  // namespace repld::testing
