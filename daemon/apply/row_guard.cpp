#include "apply/row_guard.h"

#include "apply/surroundings.h"
#include "apply/table_arrays.h"
#include "core/sql_text.h"
#include "embedded_sql.h"

namespace repld::apply {

std::string row_guard_name(const std::string& link) { return guard_name(link) + "_rows"; }

std::string guard_names(const std::string& link) {
  return array_text({guard_name(link), row_guard_name(link)});
}

// CREATE OR REPLACE is not for triggers that partitions have inherited.
std::string row_guard_script(pqxx::transaction_base& transaction,
                             const std::vector<TableName>& tables, const std::string& link,
                             const std::string& nonce, const std::string& arguments) {
  const std::string name = quote_identifier(row_guard_name(link));
  const TableArrays arrays(tables);
  std::string script;
  for (const auto& row : transaction.exec_params(std::string(sql::kUnguardedRoots), arrays.schemas,
                                                 arrays.names, row_guard_name(link), nonce)) {
    const std::string on = quote_qualified(row[0].c_str(), row[1].c_str());
    if (!row[2].as<bool>()) {
      script += fmt::format(
          "drop trigger if exists {} on {}; "
          "create trigger {} before insert or update or delete on {} "
          "for each row when (current_setting('repld.apply', true) is distinct from {}) "
          "execute function repld.refuse_write({}); ",
          name, on, name, on, quote_literal(nonce), arguments);
    }
    script += fmt::format("alter table {} enable always trigger {};\n", on, name);
  }
  return script;
}

}  // namespace repld::apply
