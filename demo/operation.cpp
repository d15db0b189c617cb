// Draws operations and fills in their random parts.
#include "operation.h"

namespace repld::demo {
namespace {

std::string number(Dice& dice) { return std::to_string(dice.below(1'000'000)); }

// The first key at or above a random one, so gaps left by deletes do no harm.
std::string pick(std::string_view column, Dice& dice) {
  const size_t dot = column.find('.');
  const std::string table(column.substr(0, dot));
  const std::string key(column.substr(dot + 1));
  return "(select " + key + " from " + table + " where " + key + " >= " + number(dice) +
         " % (1 + (select max(" + key + ") from " + table + ")) order by " + key + " limit 1)";
}

}  // namespace

const Operation& draw(const std::vector<Operation>& operations, Dice& dice) {
  int total = 0;
  for (const Operation& operation : operations) total += operation.weight;
  int rest = dice.below(total);
  for (const Operation& operation : operations) {
    rest -= operation.weight;
    if (rest < 0) return operation;
  }
  return operations.back();
}

std::string fill_in(std::string_view sql, Dice& dice) {
  constexpr std::string_view kPick = "@pick(";
  std::string filled;
  while (!sql.empty()) {
    const size_t at = sql.find('@');
    filled += sql.substr(0, at);
    if (at == std::string_view::npos) break;
    sql.remove_prefix(at);
    if (sql.starts_with(kPick)) {
      const size_t end = sql.find(')');
      filled += pick(sql.substr(kPick.size(), end - kPick.size()), dice);
      sql.remove_prefix(end + 1);
    } else if (sql.starts_with("@n")) {
      filled += number(dice);
      sql.remove_prefix(2);
    } else {
      filled += '@';
      sql.remove_prefix(1);
    }
  }
  return filled;
}

}  // namespace repld::demo
