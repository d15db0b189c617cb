#include "cutover/preflight.h"

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "base/clock.h"
#include "cutover/blockers.h"
#include "cutover/journal.h"
#include "embedded_sql.h"
#include "link/readiness.h"
#include "pg/catalog.h"

namespace repld::cutover {

namespace {

constexpr double kLagMaxSeconds = 5;
// A proof is as good as the guard and the counts that have held since; yet not for ever.
constexpr double kProofAgeSeconds = 3600;
// A transaction that has a lock for longer is none of those that a cutover can wait for.
constexpr std::chrono::milliseconds kPassesWithin{1000};
constexpr std::chrono::milliseconds kBetweenLooks{100};
constexpr std::chrono::seconds kSettlesWithin{10};
constexpr size_t kNamedMax = 8;

std::string some_of(const std::vector<std::string>& names) {
  std::vector<std::string> shown = names;
  shown.resize(std::min(shown.size(), kNamedMax));
  const std::string more =
      names.size() > kNamedMax ? fmt::format(" and {} more", names.size() - kNamedMax) : "";
  return fmt::format("{}{}", fmt::join(shown, ", "), more);
}

class Examination {
 public:
  Examination(const Links& links, const Config& config, const Course& course,
              pg::Session& old_primary, pg::Session& new_primary)
      : links_(links),
        course_(course),
        config_(config),
        carrier_(links.carrier(course.to)),
        old_(old_primary),
        new_(new_primary) {}

  Preflight run() {
    look_at_route();
    look_at_link();
    if (!result_.tables.empty()) {
      look_at_sides();
      look_at_foreign_keys();
      look_at_way_back();
      look_for_gaps();
      look_for_blockers();
      make_plan();
    }
    return std::move(result_);
  }

 private:
  Finding& add(Severity severity, const char* check, Side side, std::string what,
               std::string why = {}, std::string action = {}) {
    Finding finding;
    finding.severity = severity;
    finding.check = check;
    finding.side = side;
    finding.what = std::move(what);
    finding.why = std::move(why);
    finding.action = std::move(action);
    result_.findings.push_back(std::move(finding));
    return result_.findings.back();
  }
  Side old_side() const { return other(course_.to); }

  void look_at_route();
  LinkStatus status_once_settled() const;
  void look_at_link();
  void look_at_proof(const TableStatus& table);
  void look_at_sides();
  void look_at_side(pg::Session& session, Side side, bool is_old);
  void look_at_foreign_keys();
  void look_at_way_back();
  void look_for_gaps();
  void look_for_blockers();
  void make_plan();
  nlohmann::json table_pairs() const;

  const Links& links_;
  const Course& course_;
  const Config& config_;
  link::Link& carrier_;
  pg::Session& old_;
  pg::Session& new_;
  std::vector<std::string> unproven_;  // on the way back
  Preflight result_;
};

void Examination::look_at_route() {
  const link::Routes routes =
      link::newest(routes_of(old_, course_.link), routes_of(new_, course_.link));
  if (const auto found = routes.find(course_.group); found != routes.end()) {
    result_.generation = found->second.generation;
  }
  const bool known =
      course_.group == "all" ||
      std::any_of(config_.groups.begin(), config_.groups.end(),
                  [&](const GroupConfig& each) { return each.name == course_.group; });
  if (!known) {
    add(Severity::error, "group", course_.to, fmt::format("there is no group {}", course_.group),
        {}, "replctl status lists them.");
  } else if (link::primary_of(config_, routes, course_.group) == course_.to) {
    add(Severity::error, "group", course_.to,
        fmt::format("group {} lives on the {} already", course_.group, to_string(course_.to)));
  }
}

// A link that begins anew is back within moments, and has caught up.
LinkStatus Examination::status_once_settled() const {
  const auto until = std::chrono::steady_clock::now() + kSettlesWithin;
  while (true) {
    LinkStatus link = carrier_.status();
    const bool passing = link.state == LinkState::starting || link.state == LinkState::retrying ||
                         (link.state == LinkState::streaming &&
                          (link.incomplete || link.lag_seconds > kLagMaxSeconds));
    if (!passing || std::chrono::steady_clock::now() >= until) {
      return link;
    }
    std::this_thread::sleep_for(kBetweenLooks);
  }
}

void Examination::look_at_link() {
  const LinkStatus link = status_once_settled();
  if (link.state != LinkState::streaming) {
    add(Severity::error, "link", old_side(),
        fmt::format("link {} is {}", link.name, to_string(link.state)),
        link.error ? link.error->message : "",
        course_.to == Side::source && link.state == LinkState::stopped
            ? "The cutover was made without a way back."
            : "replctl status tells more.");
    return;
  }
  if (!config_.link.guard) {
    add(Severity::error, "guard", course_.to, "the link runs without a guard",
        "Nothing would keep applications from writing to both sides.", "Set link.guard = true.");
  }
  if (!link.copied || link.incomplete) {
    add(Severity::error, "link", course_.to,
        link.copied ? "rows that were missing are yet to be brought"
                    : "not every table has had its first copy",
        {}, "Wait for replctl status --wait-for caught-up.");
  }
  if (link.lag_seconds > kLagMaxSeconds) {
    add(Severity::error, "lag", course_.to,
        fmt::format("link {} lags {:.0f} s", link.name, link.lag_seconds),
        "Writers would wait for all of it.", "Wait for replctl status --wait-for caught-up.");
  }
  for (const TableStatus& table : link.tables) {
    if (table.group != course_.group) {
      continue;
    }
    result_.tables.push_back({table.schema, table.name});
    look_at_proof(table);
  }
  if (!unproven_.empty()) {
    add(Severity::warning, "proof", course_.to,
        fmt::format("without a proof in this direction of late: {}", some_of(unproven_)), {},
        "Run replctl verify, if there is time.");
  }
  if (result_.tables.empty()) {
    add(Severity::error, "group", course_.to,
        fmt::format("the link has no tables of group {}", course_.group));
  }
}

void Examination::look_at_proof(const TableStatus& table) {
  const std::string name = table.schema + "." + table.name;
  const char* action = "Run replctl verify.";
  const double age = table.proof ? now_seconds() - table.proof->at : 0;
  const double age_max =
      std::max(kProofAgeSeconds, 2e-3 * static_cast<double>(config_.verify.every_ms));
  if (table.state != TableState::copied) {
    add(Severity::error, "proof", course_.to, fmt::format("table {} is not copied yet", name));
  } else if (table.proof && !table.proof->equal()) {
    add(Severity::error, "proof", course_.to,
        fmt::format("table {} is not equal on both sides", name),
        fmt::format("{} rows missing, {} extra, {} different", table.proof->missing,
                    table.proof->extra, table.proof->different),
        "Mend it with replctl repair.");
  } else if (table.proof && !table.proof->suspicion.empty()) {
    add(Severity::error, "proof", course_.to,
        fmt::format("the last proof of table {} is overtaken", name), table.proof->suspicion,
        action);
  } else if (!table.proof || age > age_max) {
    const std::string what =
        table.proof
            ? fmt::format("the last proof of table {} is {:.0f} minutes old", name, age / 60)
            : fmt::format("table {} was never proven equal", name);
    // On the way back both were equal at the cutover, and what is on the way counts its rows.
    if (course_.to == Side::source) {
      unproven_.push_back(name);
    } else {
      add(Severity::error, "proof", course_.to, what, {}, action);
    }
  }
}

nlohmann::json Examination::table_pairs() const {
  nlohmann::json pairs = nlohmann::json::array();
  for (const TableName& table : result_.tables) {
    pairs.push_back({table.schema, table.name});
  }
  return pairs;
}

void Examination::look_at_sides() {
  look_at_side(old_, old_side(), true);
  look_at_side(new_, course_.to, false);
}

void Examination::look_at_side(pg::Session& session, Side side, bool is_old) {
  const auto row = session.exec_params(std::string(sql::kCutoverSides), table_pairs().dump())[0];
  if (row[0].as<bool>() || row[1].as<bool>()) {
    add(Severity::error, "read_only", side, fmt::format("the {} takes no writes", to_string(side)),
        row[0].as<bool>() ? "It is a standby." : "default_transaction_read_only is on.");
  }
  if (!row[2].as<bool>()) {
    add(Severity::error, "schema", side,
        fmt::format("schema repld cannot be made on the {}", to_string(side)),
        "The route and the journal of the cutover are kept on both sides.",
        "As the database's owner run CREATE SCHEMA repld AUTHORIZATION our role.");
  }
  if (!row[3].is_null()) {
    add(Severity::error, "ownership", side,
        fmt::format("tables of the {} are not ours to guard: {}", to_string(side), row[3].c_str()),
        "Only an owner can put triggers on them.",
        "Make our role the owner, or a member of the role that is.");
  }
  if (is_old && row[4].as<bool>()) {
    add(Severity::warning, "actors", side, "pg_cron is installed on the old primary",
        "What its jobs write to the tables will be refused there.",
        "Move such jobs to the new primary.");
  }
  if (is_old && !row[5].is_null()) {
    add(Severity::warning, "actors", side,
        fmt::format("subscriptions write to the old primary: {}", row[5].c_str()),
        "If they write to the group's tables they will stop there.");
  }
}

void Examination::look_at_foreign_keys() {
  const std::set<TableName> group(result_.tables.begin(), result_.tables.end());
  for (const auto& row : old_.exec(std::string(sql::kForeignKeyEnds))) {
    const TableName from{row[1].c_str(), row[2].c_str()};
    const TableName to{row[3].c_str(), row[4].c_str()};
    if (group.count(from) == group.count(to)) {
      continue;
    }
    const TableName& outside = group.count(from) > 0 ? to : from;
    const bool replicated = replicates_table(config_, outside.schema, outside.name);
    add(replicated ? Severity::error : Severity::warning, "foreign_key", old_side(),
        fmt::format("foreign key {} leads from {} to {}, which does not move along", row[0].c_str(),
                    from.full(), to.full()),
        "While its ends are written on different sides, no server can check it.",
        replicated ? "Put both tables into one group." : "");
  }
}

void Examination::look_at_way_back() {
  if (!course_.reverse) {
    add(Severity::warning, "way_back", course_.to, "there will be no way back",
        "What is written on the new primary is not brought home.");
    return;
  }
  if (const auto refusal = link::cannot_reverse(links_.back(course_.to).settings())) {
    add(Severity::error, "way_back", course_.to, refusal->what(), refusal->detail(),
        refusal->hint() + " Or go without: --without-reverse.");
  }
}

// What is not frozen, in the schemas of the tables that move: it may be written on the old primary.
void Examination::look_for_gaps() {
  std::set<TableName> known;
  std::set<std::string> schemas;
  for (const link::Link* link : {&links_.forward, &links_.reverse}) {
    for (const TableStatus& table : link->status().tables) {
      known.insert({table.schema, table.name});
    }
  }
  for (const TableName& table : result_.tables) {
    known.insert(table);
    schemas.insert(table.schema);
  }
  std::vector<std::string> outside;
  const auto tables = old_.transact([](pqxx::transaction_base& transaction) {
    return pg::read_source_tables(transaction, pg::Sizes::estimated);
  });
  for (const SourceTable& table : tables) {
    if (known.count(table.name) == 0 && schemas.count(table.name.schema) > 0) {
      outside.push_back(table.name.full());
    }
  }
  if (!outside.empty()) {
    add(Severity::warning, "gaps", old_side(),
        fmt::format("tables that the link does not have stay where they are: {}", some_of(outside)),
        "They are neither frozen nor moved.");
  }
}

void Examination::look_for_blockers() {
  const auto look = [this] { return blockers_of(old_, result_.tables, Lock::freeze, 0); };
  std::vector<Blocker> held = look();
  const auto until = std::chrono::steady_clock::now() + kPassesWithin;
  while (!held.empty() && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(kBetweenLooks);
    const std::vector<Blocker> now = look();
    held.erase(std::remove_if(held.begin(), held.end(),
                              [&](const Blocker& before) {
                                return std::none_of(now.begin(), now.end(), [&](const auto& each) {
                                  return each.is_same(before);
                                });
                              }),
               held.end());
  }
  for (const Blocker& blocker : held) {
    if (blocker.kind != "autovacuum worker") {
      add(Severity::error, "locks", old_side(), blocker.text(),
          "Writers would wait for it, with the cutover.", "Wait until it has ended, or end it.");
    }
  }
}

// By round trips: each step is a handful of statements.
void Examination::make_plan() {
  const auto round_trip_ms = [](pg::Session& session) {
    const auto began = std::chrono::steady_clock::now();
    session.exec("select");
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - began)
        .count();
  };
  const double to_old = round_trip_ms(old_);
  const double to_new = round_trip_ms(new_);
  const auto step = [&](const std::string& what, double milliseconds) {
    result_.plan.push_back(fmt::format("{} (about {:.0f} ms)", what, milliseconds));
  };
  const char* from = to_string(old_side());
  const char* to = to_string(course_.to);
  step(course_.reverse ? fmt::format("arm the link from {} to {}", to, from) : "make no way back",
       course_.reverse ? 500 + 40 * (to_old + to_new) : 0);
  step("write the journal on both sides", 6 * (to_old + to_new));
  step(fmt::format("keep vacuums and DDL away from {} tables on both sides", result_.tables.size()),
       8 * (to_old + to_new));
  result_.plan.push_back(
      fmt::format("lock them on the {}: from here on writers wait, {} ms at most", from,
                  course_.max_freeze_ms));
  step(fmt::format("let all that was written arrive on the {}", to), 50 + 20 * to_old + 8 * to_new);
  step("compare the tables for which there is time",
       static_cast<double>(course_.max_freeze_ms) / 8);
  step(fmt::format("prepare the {}: triggers, foreign keys, sequences", to),
       20 + 12 * to_new + 4 * to_old);
  step(fmt::format("close the {} and COMMIT: the point of no return", from), 5 + to_old);
  step(fmt::format("open the {}: writers go on there", to), 5 + to_new);
  result_.plan.emplace_back("validate foreign keys, prove in the other direction");
}

}  // namespace

Preflight examine(const Links& links, const Config& config, const Course& course,
                  pg::Session& old_primary, pg::Session& new_primary) {
  return Examination(links, config, course, old_primary, new_primary).run();
}

}  // namespace repld::cutover
