// What stands around a table while it is a replica: the guard, and what is set aside.
//
// The guard refuses writes from anyone whose session does not carry our nonce: statement triggers
// on the table and on each partition (a root's do not fire for writes to a leaf), ENABLE ALWAYS.
// For partitions that appear on an old primary see apply/row_guard.
// Set aside are user triggers and rules (an updated_at trigger would falsify every row) and all
// foreign keys at either end (their actions would fire a second time): disabled, or dropped with
// their definition noted. None of it needs superuser.
//
// Every change is journaled in repld.set_aside in the same transaction, so a crash leaves either
// both or neither. apply/restoration puts back what the journal says.
#pragma once

#include <string>
#include <vector>

#include "core/table.h"
#include "pg/catalog.h"
#include "pg/session.h"

namespace repld::apply {

// Name of a link's guard triggers.
std::string guard_name(const std::string& link);

class Surroundings {
 public:
  // `lives_on`: where the guard says that the tables are written, "source" or "target"; empty: on
  // the source, which no cutover has touched yet.
  Surroundings(std::string link, std::string guard_nonce, std::string lives_on = {})
      : link_(std::move(link)),
        guard_nonce_(std::move(guard_nonce)),
        lives_on_(std::move(lives_on)) {}

  // Within the caller's transaction; idempotent. They cover the tables' partitions. However many
  // tables: two round trips the one, five the other, one less when there is nothing to do.
  void install_guard(pqxx::transaction_base& transaction, const std::vector<TableName>& tables);
  // What install_guard() would run now; empty: nothing.
  std::string guard_script(pqxx::transaction_base& transaction,
                           const std::vector<TableName>& tables) const;
  void set_aside(pqxx::transaction_base& transaction, const std::vector<TableName>& tables);

 private:
  std::string journaled(const std::string& kind, const TableName& table, const std::string& name,
                        const std::string& how, const std::string& definition) const;

  const std::string link_;
  const std::string guard_nonce_;
  const std::string lives_on_;
};

}  // namespace repld::apply
