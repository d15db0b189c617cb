#include "cutover/new_primary.h"

#include "apply/table_arrays.h"
#include "cutover/quiet.h"
#include "link/routes.h"

namespace repld::cutover {

namespace {

// Of a sequence, for values that were taken on the old primary and not yet used.
constexpr int64_t kSequenceMargin = 1000;

}  // namespace

NewPrimary::NewPrimary(const pg::Server& server, const Course& course, std::string carrier,
                       link::Carried carried)
    : course_(course),
      carrier_(std::move(carrier)),
      carried_(std::move(carried)),
      transaction_(server) {}

void NewPrimary::quiet() {
  transaction_.begin();
  transaction_.run([&](pqxx::work& work) {
    work.exec(fmt::format(
        "set local idle_in_transaction_session_timeout = {}; "
        "set local lock_timeout = {}; "
        "lock table {} in share update exclusive mode",
        std::chrono::milliseconds(kQuietMax).count(), kQuietWait.count(), list_of(course_.tables)));
  });
}

std::vector<std::string> NewPrimary::prepare(pg::Session& old_primary, const std::string& owner,
                                             std::chrono::milliseconds within) {
  std::vector<std::string> told;
  transaction_.run([&](pqxx::work& work) {
    const auto moved = work.exec(fmt::format(
        "set local lock_timeout = {}; {}; update repld.cutover set state = 'committed', "
        "changed_at = clock_timestamp() where id = {} and state in ('begun', 'committed') "
        "returning id",
        within.count(),
        link::move_route_sql(course_.link, course_.group, {course_.to, course_.generation}),
        quote_literal(course_.id)));
    if (moved.size() != 1) {
      throw Error(ErrorKind::refused, "another session has ended this cutover");
    }
    // Not as one that writes rows would: it must not pass for what the link brought.
    const auto owned = work.exec_params(
        "select from repld.progress where link = $1 and owner::text = $2 for share", carrier_,
        owner);
    if (!owner.empty() && owned.size() != 1) {
      throw Error(ErrorKind::refused, "another session owns the link since the fence");
    }
    const apply::TableArrays tables(course_.tables);
    for (const auto& row : work.exec_params("select repld.open_group($1, $2, $3)", carrier_,
                                            tables.schemas, tables.names)) {
      told.push_back(fmt::format("not restored: {}", row[0].c_str()));
    }
    old_primary.transact([&](pqxx::transaction_base& from) {
      for (const link::SequenceRefusal& refusal :
           link::carry_sequences(from, work, carried_, kSequenceMargin)) {
        throw Error(ErrorKind::refused, "a sequence cannot be set on the new primary")
            .detail("{}: {}", refusal.sequence.full(), refusal.reason)
            .hint("Mend that, or drop the sequence where nobody uses it.");
      }
    });
  });
  prepared_ = true;
  return told;
}

void NewPrimary::commit() {
  prepared_ = false;
  transaction_.commit();
}

}  // namespace repld::cutover
