#include "verify/verifier.h"

#include <algorithm>
#include <set>

#include "base/clock.h"
#include "verify/round.h"

namespace repld::verify {

namespace {

constexpr int kTriesMax = 3;           // a table, before it is unproven
constexpr int kPassesMax = 20;         // of mending, before what differs still is told
constexpr size_t kMendedMax = 20'000;  // rows of a table in one pass
// Each holds a connection to the control socket, which has others to serve.
constexpr size_t kWaitingMax = 16;
constexpr std::chrono::seconds kRestMin{10};
constexpr std::chrono::seconds kLookEvery{10};
// Whoever has just started the daemon looks at other things first.
constexpr std::chrono::seconds kBeforeFirst{60};

bool is_asked_for(const std::set<std::string>& asked, const TableName& table) {
  return asked.empty() || asked.count(table.full()) > 0;
}

// By its name on the source, or the one by which the status knows it.
bool is_asked_for(const std::set<std::string>& asked, const link::ReplicatedTables& replicated,
                  const SourceTable& table) {
  return is_asked_for(asked, table.name) ||
         is_asked_for(asked, replicated.states.at(table.oid).known_as);
}

// Asked for, and no table of the link.
void note_unknown(const std::vector<std::string>& asked, ProofReport& report) {
  std::set<std::string> known;
  for (const TableProof& proof : report.tables) {
    known.insert(proof.table.full());
  }
  std::copy_if(asked.begin(), asked.end(), std::back_inserter(report.unknown),
               [&](const std::string& name) { return known.count(name) == 0; });
}

}  // namespace

void Verifier::start() {
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void Verifier::stop() {
  thread_.request_stop();
  if (thread_.joinable()) {
    thread_.join();
  }
}

void Verifier::ask(Task task, std::vector<std::string> tables, Reply reply) {
  const std::lock_guard lock(mutex_);
  if (requests_.size() >= kWaitingMax) {
    Error error(ErrorKind::refused, "too many verifications wait already");
    error.hint("They run one after the other, also those whose replctl has given up.");
    ProofReport refused;
    refused.failure = error_status(error, 0);
    reply(refused);
    return;
  }
  requests_.push_back({task, std::move(tables), std::move(reply)});
  anything_new_ = true;
  stirred_.notify_all();
}

void Verifier::look_again() {
  const std::lock_guard lock(mutex_);
  look_again_ = true;
  anything_new_ = true;
  stirred_.notify_all();
}

void Verifier::reload(const VerifyConfig& config) {
  const std::lock_guard lock(mutex_);
  schedule_.set(config);
  anything_new_ = true;
  stirred_.notify_all();
}

VerifyConfig Verifier::config() const {
  const std::lock_guard lock(mutex_);
  return schedule_.config();
}

Verifier::Clock::time_point Verifier::Rest::until(int64_t time_percent) const {
  if (took == Clock::duration::zero()) {
    return ended;
  }
  const auto percent = static_cast<double>(time_percent);
  const auto share = std::chrono::duration_cast<Clock::duration>(took * (100 - percent) / percent);
  return ended + std::max<Clock::duration>(share, kRestMin);
}

// The lock is held. Puts into the request what may be looked at now without being asked for;
// nothing in it: ask again at the time returned.
Verifier::Clock::time_point Verifier::look_for_due(Request& request) {
  const auto now = Clock::now();
  const int64_t percent = schedule_.config().time_percent;
  const auto round_at = std::max(first_round_, round_.until(percent));
  const auto overtaken_at = std::min(overtaken_.until(percent), round_at);
  const std::vector<TableStatus> tables = link_.status().tables;
  auto look_at = now + kLookEvery;  // tables come and go
  if (now >= round_at) {
    const double at = now_seconds();
    const VerifySchedule::Due due = schedule_.due(tables, at);
    request.tables = due.tables;
    request.by_clock = !due.tables.empty();
    if (due.next > at && due.next < at + std::chrono::duration<double>(kLookEvery).count()) {
      const std::chrono::duration<double> wait(due.next - at);
      look_at = now + std::chrono::duration_cast<Clock::duration>(wait);
    }
  } else {
    look_at = std::min(look_at, round_at);
  }
  if (look_again_ && now >= overtaken_at) {
    look_again_ = false;
    const std::vector<std::string> overtaken = schedule_.overtaken(tables);
    request.tables.insert(request.tables.end(), overtaken.begin(), overtaken.end());
  } else if (look_again_) {
    look_at = std::min(look_at, overtaken_at);
  }
  return look_at;
}

// Waits for one; what is due by the clock has no reply. Nothing when stopped.
std::optional<Verifier::Request> Verifier::next(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    Request request;
    if (!requests_.empty()) {
      request = std::move(requests_.front());
      requests_.pop_front();
      return request;
    }
    anything_new_ = false;
    const auto look_at = look_for_due(request);
    if (!request.tables.empty()) {
      return request;
    }
    stirred_.wait_until(lock, stop, look_at, [this] { return anything_new_; });
  }
  return std::nullopt;
}

void Verifier::note_look(const std::string& table, double began) {
  looked_at_.insert(table);
  const std::lock_guard lock(mutex_);
  schedule_.looked_at(table, began);
}

// Where no fence could be taken, what was not reached stays due. A table whose comparison keeps
// ending its connections does not, so that it keeps the others from nothing.
void Verifier::note_end(const Request& request, const ProofReport& report,
                        Clock::time_point began) {
  if (!request.reply) {
    Rest& rest = request.by_clock ? round_ : overtaken_;
    rest.ended = Clock::now();
    rest.took = rest.ended - began;
  }
  if (report.failure && !comparing_.empty()) {
    note_look(comparing_, now_seconds());
  }
  if (report.failure && !request.reply) {
    look_again();
  }
  for (const std::string& table : request.tables) {
    if (!report.failure && looked_at_.count(table) == 0) {
      note_look(table, now_seconds());
    }
  }
  comparing_.clear();
  looked_at_.clear();
}

void Verifier::run(const std::stop_token& stop) {
  first_round_ = Clock::now() + kBeforeFirst;
  while (const auto request = next(stop)) {
    const auto began = Clock::now();
    const ProofReport report = serve(*request, stop);
    if (stop.stop_requested()) {
      return;
    }
    note_end(*request, report, began);
    if (request->reply) {
      request->reply(report);
    }
    tell(report);
  }
}

ProofReport Verifier::serve(const Request& request, const std::stop_token& stop) {
  ProofReport report;
  CompareOptions options;
  if (request.task != Task::verify) {
    options.listed_max = kMendedMax;
  }
  try {
    const std::set<std::string> asked(request.tables.begin(), request.tables.end());
    prove(asked, options, report, stop);
    for (int pass = 0; request.task == Task::repair && pass < kPassesMax; ++pass) {
      const size_t mended = report.mended.size();
      mend(report, stop);
      if (report.mended.size() == mended) {
        break;
      }
      prove(asked, options, report, stop);
    }
    if (request.reply) {
      look_around(report, stop);
      note_unknown(request.tables, report);
    }
  } catch (const Error& error) {
    report.failure = error_status(error, 0);
  } catch (const std::exception& failure) {
    report.failure = error_status(Error(ErrorKind::internal, failure.what()), 0);
  }
  return report;
}

void Verifier::prove(const std::set<std::string>& asked, const CompareOptions& options,
                     ProofReport& report, const std::stop_token& stop) {
  report.tables.clear();
  report.compared.clear();
  Course course;
  while (!prove_at_fence(asked, options, course, report, stop)) {
  }
}

// Whether that was all.
bool Verifier::prove_at_fence(const std::set<std::string>& asked, const CompareOptions& options,
                              Course& course, ProofReport& report, const std::stop_token& stop) {
  pg::Session target(link_.settings().target);
  Round round(link_, options, stop);
  ++report.fences;
  report.retakes += round.retakes();
  report.pause_seconds_max = std::max(report.pause_seconds_max, round.pause_seconds());
  const std::chrono::milliseconds snapshot_age(config().snapshot_age_ms);
  bool all = true;
  bool compared = false;
  for (const SourceTable& table : round.replicated().tables) {
    if (!is_asked_for(asked, round.replicated(), table) || course.done.count(table.oid) > 0) {
      continue;
    }
    // One table at least, whatever it took to get here.
    if ((compared && round.age() > snapshot_age) || round.is_over()) {
      return false;
    }
    comparing_ = round.replicated().states.at(table.oid).known_as.full();
    const auto began = now_seconds();
    Round::Result result = round.compare(table, stop);
    compared = true;
    if (!result.proof.unproven.empty() && ++course.tries[table.oid] < kTriesMax) {
      all = false;
      continue;
    }
    link_.keep_proof(target, result.proof, round.replicated().states.at(table.oid));
    note_look(std::exchange(comparing_, ""), began);
    course.done.insert(table.oid);
    report.tables.push_back(std::move(result.proof));
    report.compared.push_back(std::move(result.compared));
  }
  for (const link::UnprovableTable& table : round.replicated().unprovable) {
    if (all && is_asked_for(asked, table.name)) {
      TableProof proof;
      proof.table = table.name;
      proof.unproven = table.reason;
      report.tables.push_back(std::move(proof));
      report.compared.emplace_back();
    }
  }
  return all;
}

void Verifier::mend(ProofReport& report, const std::stop_token& stop) {
  std::unique_ptr<link::Fence> fence;
  std::unique_ptr<Repair> repair;  // connected before the target stands still
  for (size_t i = 0; i < report.tables.size(); ++i) {
    const TableProof& proof = report.tables[i];
    if (!proof.unproven.empty() || proof.listed.empty()) {
      continue;
    }
    if (!repair) {
      repair = std::make_unique<Repair>(link_.settings());
      fence = link_.fence({.hold = true}, stop);
      repair->stand_at(fence->source_snapshot(), fence->owner());
    }
    report.mended.push_back(repair->mend(report.compared[i], proof, stop));
    const MendedTable& mended = report.mended.back();
    link_.record("repaired", fmt::format("{}: {} rows removed, {} written", mended.table.full(),
                                         mended.removed, mended.written));
  }
}

// What else a cutover depends on. What was proven is told in any case.
void Verifier::look_around(ProofReport& report, const std::stop_token& stop) {
  std::vector<TableName> tables;
  for (const TableProof& proof : report.tables) {
    tables.push_back(proof.table);
  }
  try {
    pg::Session source(link_.settings().source);
    pg::Session target(link_.settings().target);
    report.sequences = sequence_gaps(source, target, tables);
    report.orphans = find_orphans(link_, tables, stop);
  } catch (const std::exception& failure) {
    report.not_looked_around = failure.what();
  }
}

void Verifier::tell(const ProofReport& report) {
  const std::string failure =
      report.failure ? report.failure->message + "; " + report.failure->detail : "";
  if (failure != last_failure_ && !failure.empty()) {
    link_.record("unproven", failure);
  }
  last_failure_ = failure;
  int64_t rows = 0;
  size_t equal = 0;
  for (const TableProof& proof : report.tables) {
    rows += proof.rows;
    equal += proof.equal() ? 1U : 0U;
    if (!proof.unproven.empty()) {
      link_.record("unproven", proof.table.full() + ": " + proof.unproven);
    } else if (!proof.equal()) {
      link_.record("drift",
                   fmt::format("{}: {} rows missing, {} extra, {} different", proof.table.full(),
                               proof.missing, proof.extra, proof.different));
    }
  }
  if (!report.tables.empty()) {
    link_.record("verified", fmt::format("{} of {} tables equal, {} rows, at {} fences", equal,
                                         report.tables.size(), rows, report.fences));
  }
}

}  // namespace repld::verify
