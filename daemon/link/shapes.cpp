#include "link/shapes.h"

#include "embedded_sql.h"

namespace repld::link {

namespace {

bool is_due(const TableStatus& table) {
  return table.proof && table.proof->suspicion.empty() && table.source_oid != 0 &&
         !table.proven_shape.empty();
}

}  // namespace

Shapes read_shapes(pqxx::transaction_base& source, const std::vector<uint32_t>& tables) {
  Shapes shapes;
  for (const auto& row : source.exec_params(std::string(sql::kRelationShapes),
                                            fmt::format("{{{}}}", fmt::join(tables, ",")))) {
    shapes[row[0].as<uint32_t>()] = row[1].c_str();
  }
  return shapes;
}

bool watch_shapes(Shared& shared, pg::Session& source) {
  std::map<uint32_t, std::string> asked;  // what was proven, by oid
  std::vector<uint32_t> oids;
  for (const TableStatus& table : shared.status.copy().tables) {
    if (is_due(table)) {
      asked[table.source_oid] = table.proven_shape;
      oids.push_back(table.source_oid);
    }
  }
  if (oids.empty()) {
    return false;
  }
  const Shapes shapes = source.transact(
      [&](pqxx::transaction_base& transaction) { return read_shapes(transaction, oids); });
  bool marked = false;
  shared.status.with([&](LinkStatus& status) {
    for (TableStatus& table : status.tables) {
      const auto shape = shapes.find(table.source_oid);
      const auto proven = asked.find(table.source_oid);
      const bool same = shape != shapes.end() && shape->second == table.proven_shape;
      // A proof that was made meanwhile may be younger than what was read here.
      const bool compared = proven != asked.end() && proven->second == table.proven_shape;
      if (compared && is_due(table) && !same) {
        table.proof->suspicion = kShapeSuspicion;
        marked = true;
      }
    }
  });
  return marked;
}

}  // namespace repld::link
