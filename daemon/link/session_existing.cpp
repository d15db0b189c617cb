// What a session does otherwise when the publications are not ours.
#include <algorithm>

#include "link/adoption.h"
#include "link/session.h"
#include "pg/catalog.h"
#include "stream/slot.h"

namespace repld::link {

namespace {

constexpr const char* kCheckViolation = "23514";  // also of a row that no partition takes

}  // namespace

void LinkSession::require_published_by_others() {
  const Config& config = shared_.settings.config;
  const std::vector<std::string> names = *row_->publications;
  const auto read = [names](pg::Session& source) {
    return source.transact([&](pqxx::transaction_base& transaction) {
      return stream::read_supplies(transaction, names);
    });
  };
  adopted_ = read_adopted(*target_, shared_.name());
  supplies_ = read(*source_);
  require_one_column_list(supplies_);
  if (const auto difference = find_difference(config, adopted_, supplies_)) {
    throw *difference;
  }
  shared_.publication_check.with([&](PublicationCheck& check) {
    check = [config, read, adopted = adopted_](pg::Session& source) -> std::optional<Error> {
      try {
        const auto now = read(source);
        require_one_column_list(now);
        return find_difference(config, adopted, now);
      } catch (const Error& error) {
        if (error.kind() == ErrorKind::connect) {
          throw;
        }
        return error;
      }
    };
  });
}

// Before its reader, a leftover of ours, is ended: it might be another link's.
void LinkSession::require_own_slot() {
  stream::require_streamable(stream::read_slot(*source_, row_->slot_name), row_->slot_name,
                             row_->lsn);
}

// Under the name of a root a row of a new partition comes without a word of the partition; the
// target then refuses it, and what is missing is made before the next try.
void LinkSession::stream_completing(Lsn from) {
  try {
    stream(from);
  } catch (const Error& error) {
    if (error.sqlstate() != kCheckViolation) {
      throw;
    }
    std::vector<TableSupply> now;
    source_->transact([&](pqxx::transaction_base& transaction) {
      now = stream::read_supplies(transaction, *row_->publications);
    });
    now.erase(std::remove_if(now.begin(), now.end(),
                             [this](const TableSupply& table) { return !is_adopted(table); }),
              now.end());
    if (partitions().complete(now) == 0) {
      throw;
    }
    throw Error(ErrorKind::connect, "partitions were made on the target")
        .detail("what it refused is applied again")
        .table(error.table());
  }
}

bool LinkSession::is_adopted(const TableSupply& table) const {
  return std::any_of(adopted_.begin(), adopted_.end(),
                     [&](const TableSupply& each) { return each.oid == table.oid; });
}

}  // namespace repld::link
