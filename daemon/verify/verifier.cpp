#include "verify/verifier.h"

#include <algorithm>
#include <set>

#include "verify/round.h"

namespace repld::verify {

namespace {

using Clock = std::chrono::steady_clock;

constexpr int kTriesMax = 3;           // a table, before it is unproven
constexpr int kPassesMax = 20;         // of mending, before what differs still is told
constexpr size_t kMendedMax = 20'000;  // rows of a table in one pass
constexpr int kRestFactor = 2;         // so long as a round that nobody asked for took
constexpr std::chrono::seconds kBeforeNextTry{10};
// Whoever has just started the daemon looks at other things first.
constexpr std::chrono::seconds kBeforeFirst{60};

bool is_asked_for(const std::vector<std::string>& asked, const TableName& table) {
  return asked.empty() || std::find(asked.begin(), asked.end(), table.full()) != asked.end();
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
  requests_.push_back({task, std::move(tables), std::move(reply)});
  changed_.notify_all();
}

void Verifier::look_again() {
  const std::lock_guard lock(mutex_);
  look_again_ = true;
  changed_.notify_all();
}

std::vector<std::string> Verifier::overtaken() const {
  std::vector<std::string> tables;
  for (const TableStatus& table : link_.status().tables) {
    if (table.proof && !table.proof->suspicion.empty()) {
      tables.push_back(table.schema + "." + table.name);
    }
  }
  return tables;
}

void Verifier::repeat_every(int64_t every_ms) {
  const std::lock_guard lock(mutex_);
  every_ms_ = every_ms;
  changed_.notify_all();
}

// Waits for one; what is due by the clock has no reply. Nothing when stopped.
std::optional<Verifier::Request> Verifier::next(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    if (!requests_.empty()) {
      Request request = std::move(requests_.front());
      requests_.pop_front();
      return request;
    }
    const int64_t every_ms = every_ms_;
    const bool looking_again = every_ms_ != 0 && look_again_;
    const auto asked = [&] {
      const bool look_again = every_ms_ != 0 && look_again_;
      return !requests_.empty() || every_ms != every_ms_ || look_again != looking_again;
    };
    if (every_ms_ == 0) {
      changed_.wait(lock, stop, asked);
    } else if (!changed_.wait_until(
                   lock, stop, looking_again ? std::min(may_look_, rested_) : rested_, asked) &&
               !stop.stop_requested()) {
      look_again_ = false;
      Request request;
      if (Clock::now() >= rested_) {
        return request;
      }
      request.tables = overtaken();
      if (!request.tables.empty()) {
        return request;
      }
    }
    if (every_ms != every_ms_) {
      rested_ = std::min(rested_, Clock::now() + std::chrono::milliseconds(every_ms_));
    }
  }
  return std::nullopt;
}

void Verifier::run(const std::stop_token& stop) {
  rested_ = Clock::now() + kBeforeFirst;
  while (const auto request = next(stop)) {
    const auto began = Clock::now();
    const ProofReport report = serve(*request, stop);
    if (stop.stop_requested()) {
      return;
    }
    const auto took = Clock::now() - began;
    if (request->reply) {
      request->reply(report);
    } else if (!request->tables.empty()) {
      may_look_ = Clock::now() + std::max<Clock::duration>(kRestFactor * took, kBeforeNextTry);
      if (report.failure) {
        look_again();
      }
    } else {
      const auto every = std::chrono::milliseconds([this] {
        const std::lock_guard lock(mutex_);
        return every_ms_;
      }());
      const Clock::duration rest = report.failure ? std::min<Clock::duration>(every, kBeforeNextTry)
                                                  : std::max<Clock::duration>(every - took, {});
      rested_ = Clock::now() + std::max<Clock::duration>(rest, kRestFactor * took);
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
    prove(request.tables, options, report, stop);
    for (int pass = 0; request.task == Task::repair && pass < kPassesMax; ++pass) {
      const size_t mended = report.mended.size();
      mend(report, stop);
      if (report.mended.size() == mended) {
        break;
      }
      prove(request.tables, options, report, stop);
    }
    if (request.reply) {
      look_at_sequences(report);
    }
  } catch (const Error& error) {
    report.failure = error_status(error, 0);
  } catch (const std::exception& failure) {
    report.failure = error_status(Error(ErrorKind::internal, failure.what()), 0);
  }
  for (const std::string& name : request.tables) {
    if (!report.failure &&
        std::none_of(report.tables.begin(), report.tables.end(),
                     [&](const TableProof& proof) { return proof.table.full() == name; })) {
      report.unknown.push_back(name);
    }
  }
  return report;
}

void Verifier::prove(const std::vector<std::string>& asked, const CompareOptions& options,
                     ProofReport& report, const std::stop_token& stop) {
  report.tables.clear();
  report.compared.clear();
  Course course;
  while (!prove_at_fence(asked, options, course, report, stop)) {
  }
}

// Whether that was all.
bool Verifier::prove_at_fence(const std::vector<std::string>& asked, const CompareOptions& options,
                              Course& course, ProofReport& report, const std::stop_token& stop) {
  pg::Session target(link_.settings().target);
  Round round(link_, options, stop);
  ++report.fences;
  report.retakes += round.retakes();
  report.pause_seconds_max = std::max(report.pause_seconds_max, round.pause_seconds());
  bool all = true;
  for (const SourceTable& table : round.replicated().tables) {
    if (!is_asked_for(asked, table.name) || course.done.count(table.oid) > 0) {
      continue;
    }
    if (round.is_old() || round.is_over()) {
      return false;
    }
    Round::Result result = round.compare(table, stop);
    if (!result.proof.unproven.empty() && ++course.tries[table.oid] < kTriesMax) {
      all = false;
      continue;
    }
    link_.keep_proof(target, result.proof, round.replicated().states.at(table.oid));
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

void Verifier::look_at_sequences(ProofReport& report) {
  std::vector<TableName> tables;
  for (const TableProof& proof : report.tables) {
    tables.push_back(proof.table);
  }
  pg::Session source(link_.settings().source);
  pg::Session target(link_.settings().target);
  report.sequences = sequence_gaps(source, target, tables);
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
