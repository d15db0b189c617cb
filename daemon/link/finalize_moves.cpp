#include "link/finalize_moves.h"

#include "apply/restoration.h"
#include "core/direction.h"

namespace repld::link {

namespace {

void forget_routes(pg::Session& side, const std::string& link) {
  side.transact([&](pqxx::transaction_base& transaction) {
    for (const char* table : {"cutover", "route"}) {
      transaction.exec_params(fmt::format("delete from repld.{} where link = $1", table), link);
    }
  });
}

}  // namespace

bool forget_moves(Shared& shared, pg::Session* source, pg::Session& target,
                  const std::stop_token& stop) {
  forget_routes(target, shared.name());
  if (source == nullptr || source->exec("select to_regclass('repld.route')")[0][0].is_null()) {
    return true;
  }
  const auto tell = [&shared](const std::string& kind, const std::string& message) {
    shared.events.record(kind, message);
  };
  if (!apply::Restoration(*source, reverse_name(shared.name()), tell).run(stop)) {
    return false;
  }
  forget_routes(*source, shared.name());
  return true;
}

}  // namespace repld::link
