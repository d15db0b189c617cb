#include "link/sequences.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "base/pause.h"
#include "core/direction.h"
#include "core/sequence.h"
#include "core/sql_text.h"
#include "embedded_sql.h"
#include "link/routes.h"

namespace repld::link {

namespace {

constexpr std::chrono::milliseconds kFollowInterval{15'000};
// A cutover of the target waits for the routes that we hold.
constexpr const char* kFollowBounds =
    "set local lock_timeout = '1s'; set local statement_timeout = '5s'; "
    "set local idle_in_transaction_session_timeout = '2s'; set local synchronous_commit = off";

struct Sequence {
  TableName name;
  SequenceRule rule;
  bool readable = false;
  bool settable = false;
  std::string owner;  // the column; empty: none
  std::vector<TableName> users;
  SequencePlace place;
};

std::vector<Sequence> read_sequences(pqxx::transaction_base& transaction) {
  std::vector<Sequence> sequences;
  for (const auto& row : transaction.exec(std::string(sql::kSequences))) {
    Sequence sequence;
    sequence.name = {row[1].c_str(), row[2].c_str()};
    sequence.rule = {row[3].as<int64_t>(), row[4].as<int64_t>(), row[5].as<int64_t>(),
                     row[6].as<bool>()};
    sequence.readable = row[7].as<bool>();
    sequence.settable = row[8].as<bool>();
    if (!row[9].is_null()) {
      sequence.owner = quote_qualified(row[9].c_str(), row[10].c_str()) + "." +
                       quote_identifier(row[11].c_str());
    }
    if (!row[12].is_null()) {
      const nlohmann::json users = nlohmann::json::parse(row[12].c_str());
      for (const nlohmann::json& user : users) {
        sequence.users.push_back({user[0].get<std::string>(), user[1].get<std::string>()});
      }
    }
    sequences.push_back(std::move(sequence));
  }
  return sequences;
}

// In one statement for all.
void read_places(pqxx::transaction_base& transaction, const std::vector<Sequence*>& sequences) {
  std::vector<std::string> queries;
  for (size_t i = 0; i < sequences.size(); ++i) {
    queries.push_back(
        fmt::format("select {}, last_value, is_called from {}", i,
                    quote_qualified(sequences[i]->name.schema, sequences[i]->name.name)));
  }
  if (queries.empty()) {
    return;
  }
  for (const auto& row : transaction.exec(fmt::format("{}", fmt::join(queries, " union all ")))) {
    sequences[row[0].as<size_t>()]->place = {row[1].as<int64_t>(), row[2].as<bool>()};
  }
}

class Other {
 public:
  explicit Other(std::vector<Sequence>& sequences) {
    for (Sequence& sequence : sequences) {
      by_name_[sequence.name] = &sequence;
      if (!sequence.owner.empty()) {
        by_owner_[sequence.owner] = &sequence;
      }
    }
  }

  // Null: there is none. One column may own several.
  Sequence* find(const Sequence& sequence) const {
    const auto named = by_name_.find(sequence.name);
    const auto owned = by_owner_.find(sequence.owner);
    const bool same = named != by_name_.end() && named->second->owner == sequence.owner;
    if (!same && owned != by_owner_.end()) {
      return owned->second;
    }
    return named == by_name_.end() ? nullptr : named->second;
  }

 private:
  std::map<TableName, Sequence*> by_name_;
  std::map<std::string, Sequence*> by_owner_;
};

// The last step of a move: neither side is written. Else the source is in use.
enum class Writers { frozen, writing };

std::string why_not(const Sequence& from, const Sequence* to, const Carried& carried,
                    Writers writers) {
  if (!from.readable) {
    return "we may not read it: it takes SELECT on the sequence";
  }
  if (to == nullptr) {
    return "the other side has none";
  }
  if (!to->readable || !to->settable) {
    return "we may not set it: it takes SELECT and UPDATE on the sequence of the other side";
  }
  if (writers == Writers::writing && !std::all_of(to->users.begin(), to->users.end(), carried)) {
    return "a table that is no replica uses it on the other side";
  }
  return "";
}

// Those that a carried table uses, and how far they have come. In a move those too that no table
// uses: whoever calls them by name must not get a value twice.
std::vector<Sequence> read_carried(pqxx::transaction_base& from, const Carried& carried,
                                   Writers writers) {
  std::vector<Sequence> sequences = read_sequences(from);
  std::erase_if(sequences, [&](const Sequence& sequence) {
    return sequence.users.empty()
               ? writers == Writers::writing || !carried(sequence.name)
               : std::none_of(sequence.users.begin(), sequence.users.end(), carried);
  });
  std::vector<Sequence*> reading;
  for (Sequence& sequence : sequences) {
    if (sequence.readable) {
      reading.push_back(&sequence);
    }
  }
  read_places(from, reading);
  return sequences;
}

void set_places(pqxx::transaction_base& to, const std::set<const Sequence*>& sequences) {
  std::vector<std::string> places;
  for (const Sequence* sequence : sequences) {
    places.push_back(
        fmt::format("({}, {}::bigint, {})",
                    quote_literal(quote_qualified(sequence->name.schema, sequence->name.name)),
                    sequence->place.last_value, sequence->place.is_called));
  }
  if (!places.empty()) {
    to.exec(
        fmt::format("select setval(name::regclass, value, called) from (values {}) "
                    "places (name, value, called)",
                    fmt::join(places, ", ")));
  }
}

// `sources` were read before, so that who uses the target meanwhile is ahead of them.
std::vector<SequenceRefusal> set_behind(pqxx::transaction_base& to,
                                        const std::vector<Sequence>& sources,
                                        const Carried& carried, int64_t margin, Writers writers) {
  std::vector<Sequence> targets = read_sequences(to);
  const Other other(targets);
  std::vector<SequenceRefusal> refused;
  std::vector<std::pair<const Sequence*, Sequence*>> pairs;
  std::vector<Sequence*> reading;
  for (const Sequence& source : sources) {
    Sequence* const target = other.find(source);
    if (const std::string reason = why_not(source, target, carried, writers); !reason.empty()) {
      refused.push_back({source.name, reason});
    } else if (writers == Writers::frozen || !(source.rule.cycles || target->rule.cycles)) {
      pairs.emplace_back(&source, target);
      if (std::find(reading.begin(), reading.end(), target) == reading.end()) {
        reading.push_back(target);
      }
    }
  }
  read_places(to, reading);
  std::set<const Sequence*> behind;
  for (const auto& [source, target] : pairs) {
    if (const std::string reason = misfit(source->rule, source->place, target->rule);
        !reason.empty()) {
      refused.push_back({source->name, reason});
    } else if (const auto place =
                   place_to_set(source->rule, source->place, target->rule, target->place, margin)) {
      // The next that leads to the same one goes on from there: the furthest remains.
      target->place = *place;
      behind.insert(target);
    }
  }
  set_places(to, behind);
  return refused;
}

// Without those that have never moved.
Routes moved(Routes routes) {
  std::erase_if(routes, [](const auto& each) { return each.second == Route(); });
  return routes;
}

}  // namespace

std::vector<SequenceRefusal> carry_sequences(pqxx::transaction_base& from,
                                             pqxx::transaction_base& to, const Carried& carried,
                                             int64_t margin) {
  return set_behind(to, read_carried(from, carried, Writers::frozen), carried, margin,
                    Writers::frozen);
}

void SequenceFollower::run(const std::stop_token& stop) {
  for (pause(kFollowInterval, stop); !stop.stop_requested(); pause(kFollowInterval, stop)) {
    try {
      follow(stop);
    } catch (const std::exception& failure) {
      spdlog::debug("link \"{}\": sequences: {}", shared_.name(), failure.what());
      source_.reset();
      target_.reset();
    }
  }
}

void SequenceFollower::follow(const std::stop_token& stop) {
  if (!source_ || !target_) {
    source_ = std::make_unique<pg::Session>(shared_.settings.source);
    target_ = std::make_unique<pg::Session>(shared_.settings.target);
  }
  const std::stop_callback on_stop(stop, [&] {
    source_->cancel();
    target_->cancel();
  });
  const Config& config = shared_.settings.config;
  const CarriagePtr carriage = shared_.carriage.copy();
  const auto carried = [&](const TableName& name) {
    return replicates_table(config, name.schema, name.name) && carriage->carries(name);
  };
  const std::vector<Sequence> sources = source_->transact(
      [&](pqxx::transaction_base& from) { return read_carried(from, carried, Writers::writing); });
  tell(target_->transact([&](pqxx::transaction_base& to) {
    to.exec(kFollowBounds);
    // A target that opens moves its route first, and sets its sequences then.
    const Routes routes = read_routes(to, configured_name(shared_.name()), Rows::locked);
    if (moved(routes) != moved(carriage->of_target())) {
      return std::vector<SequenceRefusal>();
    }
    return set_behind(to, sources, carried, 0, Writers::writing);
  }));
}

void SequenceFollower::tell(const std::vector<SequenceRefusal>& refused) {
  std::vector<std::string> texts;
  for (const SequenceRefusal& refusal : refused) {
    const std::string text = fmt::format("{} ({})", refusal.sequence.full(), refusal.reason);
    if (shared_.sequences_told.insert(text).second) {
      texts.push_back(text);
    }
  }
  if (!texts.empty()) {
    shared_.events.record("sequences",
                          fmt::format("not brought along: {}", fmt::join(texts, ", ")));
  }
}

}  // namespace repld::link
