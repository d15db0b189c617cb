#include "link/event_log.h"

#include <spdlog/spdlog.h>

#include "base/clock.h"
#include "core/direction.h"

namespace repld::link {

namespace {

constexpr size_t kMemoryMax = 1000;

}  // namespace

void EventLog::record(const std::string& kind, const std::string& message) {
  (main_ == nullptr ? this : main_)->record_as(link_, kind, message);
}

void EventLog::record_as(const std::string& link, const std::string& kind,
                         const std::string& message) {
  spdlog::info("link \"{}\": {}: {}", link, kind, message);
  state_.with([&](State& state) {
    Event event;
    event.id = ++state.last_id;
    event.at = now_seconds();
    event.link = link;
    event.kind = kind;
    event.message = message;
    state.unsaved.push_back(event);
    state.events.push_back(std::move(event));
    if (state.events.size() > kMemoryMax) {
      state.events.pop_front();
    }
    if (state.unsaved.size() > kMemoryMax) {
      state.unsaved.pop_front();
    }
  });
}

std::vector<Event> EventLog::after(int64_t id, size_t limit) const {
  const State state = state_.copy();
  std::vector<Event> found;
  for (const Event& event : state.events) {
    if (event.id > id && found.size() < limit) {
      found.push_back(event);
    }
  }
  return found;
}

void EventLog::load(pg::Session& target) {
  std::deque<Event> earlier;
  const auto rows = target.exec_params(
      "select id, extract(epoch from at), kind, message, link from repld.event "
      "where link in ($1, $2) order by id desc limit $3",
      link_, opposite_name(link_), static_cast<int>(kMemoryMax / 2));
  for (const auto& row : rows) {
    Event event;
    event.id = row[0].as<int64_t>();
    event.at = row[1].as<double>();
    event.link = row[4].c_str();
    event.kind = row[2].c_str();
    event.message = row[3].c_str();
    earlier.push_front(std::move(event));
  }
  state_.with([&](State& state) {
    const int64_t base = earlier.empty() ? 0 : earlier.back().id;
    for (Event& event : state.events) {
      event.id += base;
      earlier.push_back(event);
    }
    state.events = std::move(earlier);
    state.last_id += base;
    state.loaded = true;
  });
}

bool EventLog::has_unsaved() {
  return state_.with([](const State& state) { return state.loaded && !state.unsaved.empty(); });
}

bool EventLog::is_loaded() {
  return state_.with([](const State& state) { return state.loaded; });
}

void EventLog::store(pg::Session& target) {
  if (main_ != nullptr) {
    return;
  }
  const std::lock_guard one(storing_);
  if (!state_.with([](const State& state) { return state.loaded; })) {
    load(target);
  }
  const auto unsaved = state_.with([](const State& state) { return state.unsaved; });
  if (unsaved.empty()) {
    return;
  }
  target.transact([&](pqxx::transaction_base& transaction) {
    for (const Event& event : unsaved) {
      transaction.exec_params(
          "insert into repld.event (link, at, kind, message) values ($1, to_timestamp($2), $3, $4)",
          event.link, event.at, event.kind, event.message);
    }
  });
  // Only now: what could not be written is tried again. Ids grow, whatever came in meanwhile.
  state_.with([&](State& state) {
    while (!state.unsaved.empty() && state.unsaved.front().id <= unsaved.back().id) {
      state.unsaved.pop_front();
    }
  });
}

}  // namespace repld::link
