#include "apply/suspicion.h"

#include "core/sql_text.h"

namespace repld::apply {

std::string suspect_statement(const std::string& link, const TableName& table, const char* reason) {
  return fmt::format(
      "update repld.table_state set suspicion = {}, suspected_at = clock_timestamp() "
      "where link = {} and schema_name = {} and table_name = {}",
      quote_literal(reason), quote_literal(link), quote_literal(table.schema),
      quote_literal(table.name));
}

}  // namespace repld::apply
