#include "cutover/passage.h"

#include <algorithm>
#include <map>
#include <set>

#include "apply/restoration.h"
#include "apply/surroundings.h"
#include "base/failpoint.h"
#include "core/direction.h"
#include "cutover/journal.h"
#include "cutover/preflight.h"
#include "link/shapes.h"
#include "pg/migrations.h"

namespace repld::cutover {

namespace {

using Milliseconds = std::chrono::milliseconds;

constexpr std::chrono::minutes kArmWithin{1};
constexpr std::chrono::seconds kBackWithin{10};
constexpr int kSettleWaitMs = 5000;
// Locks on the new primary, once nobody writes on either side.
constexpr Milliseconds kOpenWait{10'000};
// Of the freeze, for comparing rows.
constexpr int kProofShare = 4;

template <typename Rows>
int64_t sum_of_rows(const Rows& proofs) {
  int64_t rows = 0;
  for (const TableProof& proof : proofs) {
    rows += proof.rows;
  }
  return rows;
}

Error drift_in(const TableProof& proof) {
  Error error(ErrorKind::refused,
              fmt::format("table {} is not equal on both sides", proof.table.full()));
  if (!proof.unproven.empty()) {
    error.detail("{}", proof.unproven);
  } else {
    error.detail("{} rows missing, {} extra, {} different", proof.missing, proof.extra,
                 proof.different);
  }
  return error.hint("Look at replctl verify, mend it with replctl repair.")
      .table(proof.table.full());
}

}  // namespace

void Passage::embark(const Request& request, const Config& config) {
  config_ = config;
  course_.link = links_.name();
  course_.id = request.id;
  course_.group = request.group;
  course_.to = request.to;
  course_.reverse = !request.without_reverse;
  course_.max_freeze_ms = request.max_freeze_ms;
}

CutoverEvent Passage::perform(CutoverState state) {
  failpoint(fmt::format("cutover.{}", to_string(state)));
  switch (state) {
    case CutoverState::checking: check(); break;
    case CutoverState::arming: arm(); break;
    case CutoverState::noting: note(); break;
    case CutoverState::quieting: quiet(); break;
    case CutoverState::freezing: freeze(); break;
    case CutoverState::draining: drain(); break;
    case CutoverState::proving: prove(); break;
    case CutoverState::preparing: prepare(); break;
    case CutoverState::committing: close(); break;
    case CutoverState::settling: return settle();
    case CutoverState::opening: open(); break;
    case CutoverState::completing: complete(); break;
    case CutoverState::withdrawing: withdraw(); break;
    case CutoverState::completed:
    case CutoverState::withdrawn: REPLD_ASSERT(false);
  }
  return CutoverEvent::done;
}

void Passage::check() {
  pg::Session old_primary(old_server());
  pg::Session new_primary(new_server());
  const Preflight preflight = examine(links_, config_, course_, old_primary, new_primary);
  course_.tables = preflight.tables;
  course_.generation = preflight.generation + 1;
  // Also makes sure that it is one.
  course_.id =
      old_primary
          .exec_params("select coalesce(nullif($1, '')::uuid, gen_random_uuid())", course_.id)[0][0]
          .c_str();
  witness_.found(course_, preflight);
  const auto error =
      std::find_if(preflight.findings.begin(), preflight.findings.end(),
                   [](const Finding& each) { return each.severity == Severity::error; });
  if (error != preflight.findings.end()) {
    throw Error(ErrorKind::refused, error->what).detail("{}", error->why).hint("{}", error->action);
  }
  witness_.came_of_it(
      fmt::format("{} tables, {} warnings", course_.tables.size(), preflight.findings.size()));
}

void Passage::arm() {
  if (!course_.reverse) {
    witness_.came_of_it("no way back, as asked for");
    return;
  }
  back().arm(kArmWithin, stop_);
  witness_.came_of_it("the way back streams");
}

void Passage::note() {
  pg::Session old_primary(old_server());
  pg::Session new_primary(new_server());
  pg::migrate(old_primary);
  pg::migrate(new_primary);
  note_begun(new_primary, course_, other(course_.to));
  failpoint("cutover.noted_once");
  note_begun(old_primary, course_, other(course_.to));
}

void Passage::quiet() {
  old_catalog_ = std::make_unique<pg::Session>(old_server());
  new_ = std::make_unique<NewPrimary>(new_server(), course_, carrier_name(), carried());
  new_->quiet();
  old_ = std::make_unique<OldPrimary>(old_server(), course_);
  old_->quiet();
  // From here on nothing changes what the tables are made of.
  require_proven_shapes(*old_catalog_);
  guard_script_ = guard_script(*old_catalog_);
  // Writers are not to wait for connections.
  prove_ = prepare_proof_(carrier(), course_.tables);
  fence_sessions_ = std::make_unique<link::FenceSessions>(carrier().settings());
  require_same_tables();
}

link::Carried Passage::carried() const {
  const bool forward = course_.to == Side::target;
  return [config = forward ? config_ : mirrored(config_), course = course_](const TableName& name) {
    return std::find(course.tables.begin(), course.tables.end(), name) != course.tables.end() ||
           (replicates_table(config, name.schema, name.name) &&
            group_of(config, name.schema, name.name) == course.group);
  };
}

// One that has joined since they were listed would move unguarded.
void Passage::require_same_tables() const {
  const LinkStatus status = carrier().status();
  std::set<TableName> now;
  bool copied = status.copied;
  for (const TableStatus& table : status.tables) {
    if (table.group == course_.group) {
      now.insert({table.schema, table.name});
      copied = copied && table.state == TableState::copied;
    }
  }
  if (!copied || now != std::set<TableName>(course_.tables.begin(), course_.tables.end())) {
    throw Error(ErrorKind::refused, "tables have joined or left meanwhile").hint("Try again.");
  }
}

// Columns, files and partitions may change rows without any change in the stream.
void Passage::require_proven_shapes(pg::Session& old_primary) const {
  std::map<uint32_t, std::string> proven;
  std::vector<uint32_t> oids;
  for (const TableStatus& table : carrier().status().tables) {
    const TableName name{table.schema, table.name};
    const bool moves =
        std::find(course_.tables.begin(), course_.tables.end(), name) != course_.tables.end();
    if (moves && table.proof && !table.proven_shape.empty()) {
      oids.push_back(table.source_oid);
      proven[table.source_oid] = table.proven_shape;
    }
  }
  const link::Shapes now = old_primary.transact(
      [&](pqxx::transaction_base& transaction) { return link::read_shapes(transaction, oids); });
  if (now != proven) {
    throw Error(ErrorKind::refused,
                "columns, files or partitions have changed since the last proof")
        .hint("Run replctl verify and try again.");
  }
}

std::string Passage::guard_script(pg::Session& old_primary) const {
  return old_primary.transact([&](pqxx::transaction_base& transaction) {
    const auto rows = transaction.exec_params(
        "select guard_nonce from repld.progress where link = $1", back_name());
    const std::string nonce = rows.empty() ? course_.id : rows[0][0].as<std::string>();
    return apply::Surroundings(back_name(), nonce, to_string(course_.to))
        .guard_script(transaction, course_.tables);
  });
}

void Passage::freeze() { frozen_at_ = old_->freeze(stop_); }

Milliseconds Passage::time_left() const {
  const auto left = std::chrono::duration_cast<Milliseconds>(
      *frozen_at_ + Milliseconds(course_.max_freeze_ms) - Clock::now());
  if (left <= Milliseconds(0)) {
    throw Error(ErrorKind::refused, "writers have waited for as long as they may")
        .detail("{} ms", course_.max_freeze_ms)
        .hint("Nothing was changed. Try again, or allow more with --max-freeze.");
  }
  return left;
}

void Passage::drain() {
  const Milliseconds left = time_left();
  fence_ = carrier().fence({false, left, left}, stop_, std::move(fence_sessions_));
  owner_ = fence_->owner();
  require_same_tables();
  if (carrier().status().incomplete) {
    throw Error(ErrorKind::refused, "rows that were missing are yet to be brought")
        .hint("Wait for replctl status --wait-for caught-up and try again.");
  }
}

void Passage::prove() {
  const auto until = Clock::now() + time_left() / kProofShare;
  const FreezeProof proof = prove_(*fence_, until, stop_);
  prove_ = {};
  fence_.reset();
  for (const TableProof& table : proof.tables) {
    if (!table.equal()) {
      throw drift_in(table);
    }
  }
  const size_t unproven = require_last_proofs(proof.left_out);
  std::string text = fmt::format("{} of {} tables compared, {} rows, equal", proof.tables.size(),
                                 course_.tables.size(), sum_of_rows(proof.tables));
  if (proof.left_out.size() > unproven) {
    text += fmt::format("; by their last proof: {} tables", proof.left_out.size() - unproven);
  }
  if (unproven > 0) {
    text += fmt::format("; equal at the cutover, not proven since: {} tables", unproven);
  }
  witness_.came_of_it(text);
}

// Returns how many have none: on the way back they need none, see cutover/preflight.
size_t Passage::require_last_proofs(const std::vector<TableName>& left_out) const {
  const LinkStatus status = carrier().status();
  size_t unproven = 0;
  for (const TableName& name : left_out) {
    const auto table =
        std::find_if(status.tables.begin(), status.tables.end(), [&](const TableStatus& each) {
          return TableName{each.schema, each.name} == name;
        });
    const bool has_proof = table != status.tables.end() && table->proof.has_value();
    const bool holds = has_proof && table->proof->equal() && table->proof->suspicion.empty();
    if (!has_proof && course_.to == Side::source) {
      ++unproven;
    } else if (!holds) {
      throw Error(ErrorKind::refused,
                  fmt::format("no time was left to compare table {}, and no proof of it holds",
                              name.full()))
          .hint("Run replctl verify and try again.")
          .table(name.full());
    }
  }
  return unproven;
}

void Passage::prepare() {
  for (const std::string& text : new_->prepare(*old_catalog_, owner_, time_left())) {
    witness_.came_of_it(text);
  }
}

void Passage::close() {
  old_->close(guard_script_, time_left());
  failpoint("cutover.closed");
  const std::chrono::duration<double> froze = Clock::now() - *frozen_at_;
  witness_.moved(course_, froze.count());
  old_.reset();
}

// Waits for whoever might still commit: the journal's row is locked by the session that freezes.
CutoverEvent Passage::settle() {
  forget_sessions();
  pg::Session old_primary(old_server());
  const JournalState state = old_primary.transact([&](pqxx::transaction_base& transaction) {
    transaction.exec(fmt::format("set local lock_timeout = {}", kSettleWaitMs));
    return locked_state(transaction, course_.id);
  });
  const bool committed = state == JournalState::committed || state == JournalState::done;
  if (committed) {
    witness_.moved(course_, std::nullopt);
  }
  witness_.came_of_it(committed ? "it had taken place" : "it had not taken place");
  return committed ? CutoverEvent::found_committed : CutoverEvent::found_uncommitted;
}

void Passage::open() {
  if (!new_ || !new_->is_prepared()) {
    new_.reset();
    NewPrimary again(new_server(), course_, carrier_name(), carried());
    pg::Session old_primary(old_server());
    again.quiet();
    for (const std::string& text : again.prepare(old_primary, "", kOpenWait)) {
      witness_.came_of_it(text);
    }
    again.commit();
    return;
  }
  const std::unique_ptr<NewPrimary> prepared = std::move(new_);
  prepared->commit();
}

void Passage::complete() {
  forget_sessions();
  carrier().reroute();
  if (course_.reverse) {
    bring_back_along();
  }
  pg::Session new_primary(new_server());
  const auto tell = [this](const std::string& kind, const std::string& text) {
    links_.forward.record(kind, text);
  };
  if (!apply::Restoration(new_primary, carrier_name(), tell, course_.tables).run(stop_)) {
    throw Error(ErrorKind::refused, "it is stopped before all foreign keys were validated");
  }
  require_closed();
  pg::Session old_primary(old_server());
  for (pg::Session* side : {&old_primary, &new_primary}) {
    side->transact([&](pqxx::transaction_base& transaction) {
      move_state(transaction, course_.id, JournalState::committed, JournalState::done);
    });
    failpoint("cutover.done_once");
  }
}

// An old primary that failed over or was restored may have lost the COMMIT that closed it.
void Passage::require_closed() const {
  const JournalState state = settled_state(old_server(), course_.id);
  if (state != JournalState::committed && state != JournalState::done) {
    const char* side = to_string(other(course_.to));
    throw Error(ErrorKind::refused,
                fmt::format("the {} has lost the COMMIT that closed it, and its guard with it: it "
                            "takes writes, and so does the {}",
                            side, to_string(course_.to)))
        .detail(
            "its journal says \"{}\"; keep applications away from it, its guard must be put "
            "back by hand",
            to_string(state));
  }
}

// Whoever asks for a rollback right away finds the link that brings it about. It may have to wait
// for readers of the old primary, which is no reason to wait for it here.
void Passage::bring_back_along() {
  try {
    back().arm(kBackWithin, stop_);
    witness_.came_of_it("the way back carries the group");
  } catch (const Error& error) {
    witness_.came_of_it(
        fmt::format("the way back does not stream yet: {} {}", error.what(), error.detail()));
  }
}

void Passage::withdraw() {
  forget_sessions();
  if (course_.generation == 0) {
    return;  // the check did not get far enough
  }
  for (const pg::Server* server : {&old_server(), &new_server()}) {
    pg::Session side(*server);
    if (side.exec("select to_regclass('repld.cutover')")[0][0].is_null()) {
      continue;
    }
    side.transact([&](pqxx::transaction_base& transaction) {
      transaction.exec(fmt::format("set local lock_timeout = {}", kSettleWaitMs));
      move_state(transaction, course_.id, JournalState::begun, JournalState::withdrawn);
    });
  }
}

void Passage::forget_sessions() {
  fence_.reset();
  fence_sessions_.reset();
  prove_ = {};
  old_.reset();
  new_.reset();
  old_catalog_.reset();
}

}  // namespace repld::cutover
