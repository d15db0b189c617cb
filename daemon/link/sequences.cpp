#include "link/sequences.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <nlohmann/json.hpp>

#include "base/pause.h"
#include "core/sequence.h"
#include "core/sql_text.h"
#include "embedded_sql.h"

namespace repld::link {

namespace {

constexpr std::chrono::milliseconds kFollowInterval{15'000};

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

bool is_carried(const Sequence& sequence, const Carried& carried) {
  return sequence.users.empty()
             ? carried(sequence.name)
             : std::any_of(sequence.users.begin(), sequence.users.end(), carried);
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

std::string why_not(const Sequence& from, const Sequence* to) {
  if (!from.readable) {
    return "we may not read it: it takes SELECT on the sequence";
  }
  if (to == nullptr) {
    return "the other side has none";
  }
  if (!to->readable || !to->settable) {
    return "we may not set it: it takes SELECT and UPDATE on the sequence of the other side";
  }
  return "";
}

}  // namespace

std::vector<SequenceRefusal> carry_sequences(pqxx::transaction_base& from,
                                             pqxx::transaction_base& to, const Carried& carried,
                                             int64_t margin) {
  std::vector<Sequence> ours = read_sequences(from);
  std::vector<Sequence> theirs = read_sequences(to);
  const Other other(theirs);
  std::vector<SequenceRefusal> refused;
  std::vector<Sequence*> reading;
  std::vector<Sequence*> setting;  // parallel
  for (Sequence& sequence : ours) {
    if (!is_carried(sequence, carried)) {
      continue;
    }
    Sequence* const counterpart = other.find(sequence);
    if (const std::string reason = why_not(sequence, counterpart); !reason.empty()) {
      refused.push_back({sequence.name, reason});
    } else {
      reading.push_back(&sequence);
      setting.push_back(counterpart);
    }
  }
  // The other side first: it does not move meanwhile, or only forwards.
  read_places(to, setting);
  read_places(from, reading);
  std::vector<std::string> places;
  for (size_t i = 0; i < reading.size(); ++i) {
    const Sequence& source = *reading[i];
    const Sequence& target = *setting[i];
    if (const std::string reason = misfit(source.rule, source.place, target.rule);
        !reason.empty()) {
      refused.push_back({source.name, reason});
    } else if (const auto place =
                   place_to_set(source.rule, source.place, target.rule, target.place, margin)) {
      places.push_back(
          fmt::format("({}, {}::bigint, {})",
                      quote_literal(quote_qualified(target.name.schema, target.name.name)),
                      place->last_value, place->is_called));
    }
  }
  if (!places.empty()) {
    to.exec(
        fmt::format("select setval(name::regclass, value, called) from (values {}) "
                    "places (name, value, called)",
                    fmt::join(places, ", ")));
  }
  return refused;
}

void SequenceFollower::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    try {
      follow(stop);
    } catch (const std::exception& failure) {
      spdlog::debug("link \"{}\": sequences: {}", shared_.name(), failure.what());
    }
    pause(kFollowInterval, stop);
  }
}

void SequenceFollower::follow(const std::stop_token& stop) {
  pg::Session source(shared_.settings.source);
  pg::Session target(shared_.settings.target);
  const std::stop_callback on_stop(stop, [&] {
    source.cancel();
    target.cancel();
  });
  const Config& config = shared_.settings.config;
  const auto carried = [&](const TableName& name) {
    return replicates_table(config, name.schema, name.name) && shared_.carries(name);
  };
  const auto refused = source.transact([&](pqxx::transaction_base& from) {
    return target.transact([&](pqxx::transaction_base& to) {
      to.exec("set local synchronous_commit = off");
      return carry_sequences(from, to, carried, 0);
    });
  });
  std::vector<std::string> texts;
  for (const SequenceRefusal& refusal : refused) {
    texts.push_back(fmt::format("{} ({})", refusal.sequence.full(), refusal.reason));
  }
  const std::string text = fmt::format("{}", fmt::join(texts, ", "));
  if (!text.empty() && text != told_) {
    shared_.events.record("sequences", "not brought along: " + text);
  }
  told_ = text;
}

}  // namespace repld::link
