#include "link/taken_over.h"

#include "apply/surroundings.h"
#include "embedded_sql.h"
#include "stream/replaced.h"

namespace repld::link {

namespace {

constexpr const char* kBothNames =
    "Rename tables on the target as they are renamed on the source, then run replctl resume.";

Error missing_on_target(const TableName& name, const std::optional<RelationFacts>& facts,
                        bool known) {
  if (facts && known) {
    return missing_table(name).hint(
        "Create it with the columns and the key of the source, or, where it was renamed on the "
        "source, rename it likewise; then run replctl resume.");
  }
  Error error(ErrorKind::schema, fmt::format("table \"{}\" is missing on the target{}", name.full(),
                                             facts ? "" : ", and gone from the source"));
  if (!known) {
    error.detail("the link has copied none of that name: it was a partition, and is none any more");
  }
  error.hint(
      "Changes from before are still to be applied. Create it on the target with the columns that "
      "it had (what was a partition: as one of the same table, with the bounds that it had), run "
      "replctl resume, and drop or detach it there once the link has caught up.");
  return error.table(name.full());
}

Error another_one(const TableName& name, const TableName& known) {
  Error error(
      ErrorKind::schema,
      fmt::format("table \"{}\" of the target is not the one that was copied", name.full()));
  error.detail("that is \"{}\", or was when it was last looked at", known.full());
  return error.hint("{}", kBothNames).table(name.full());
}

Error unknown_one(const TableName& name) {
  Error error(
      ErrorKind::schema,
      fmt::format("it is not known which table of the target was copied as \"{}\"", name.full()));
  error.detail("that was before tables of the target were known by oid, and one was renamed since");
  return error.hint("{}", kBothNames).table(name.full());
}

Error nobodys(const TableName& name) {
  Error error(
      ErrorKind::schema,
      fmt::format("table \"{}\" of the target is not one that the link replicates", name.full()));
  error.detail("rows are due to it that were written to a partition, as it seems");
  error.hint(
      "Attach it on the target to the table that it belonged to, run replctl resume, and detach it "
      "again once the link has caught up.");
  return error.table(name.full());
}

// By us. A partition that was detached keeps its guard.
bool guarded(pg::Session& target, const std::string& link, uint32_t oid) {
  return !target
              .exec_params(
                  "select from pg_trigger where tgrelid = $1::oid and tgname = $2 "
                  "and tgfoid = 'repld.refuse_write()'::regprocedure",
                  oid, apply::guard_name(link))
              .empty();
}

}  // namespace

std::optional<TableName> known_as(pg::Session& target, const std::string& link, uint32_t source_oid,
                                  uint32_t target_oid) {
  const auto rows = target.exec_params(std::string(sql::kTakenOver), link, source_oid, target_oid);
  if (rows.empty()) {
    return std::nullopt;
  }
  return TableName{rows[0][0].c_str(), rows[0][1].c_str()};
}

TableName require_taken_over(pg::Session& target, const std::string& link, const Relation& relation,
                             const std::optional<RelationFacts>& facts,
                             const std::optional<TargetTable>& table) {
  const TableName own{relation.schema, relation.name};
  const TableName wanted = facts ? facts->root : own;
  const auto rows =
      target.exec_params(std::string(sql::kTakenOver), link, facts ? facts->root_oid : relation.oid,
                         table ? table->oid : 0);
  const bool known = !rows.empty() && rows[0][2].as<bool>();
  if (!table) {
    throw missing_on_target(wanted, facts, known);
  }
  if (rows.empty() && !guarded(target, link, table->oid)) {
    throw nobodys(table->name);
  }
  if (rows.empty()) {
    return table->name;
  }
  const TableName name{rows[0][0].c_str(), rows[0][1].c_str()};
  // What both sides have dropped may have been made again, for what is still to be applied.
  const bool made_again = !facts && rows[0][4].as<bool>();
  if (known && !rows[0][3].as<bool>() && !made_again) {
    throw rows[0][6].as<bool>() ? unknown_one(name) : another_one(wanted, name);
  }
  // Of a partition that is none any more the target still knows where it belonged.
  const bool through_partition = own != table->name;
  const bool by_name = rows[0][5].as<bool>();
  if (!known && !through_partition && !by_name) {
    throw stream::replaced_tables({own.full()});
  }
  return name;
}

}  // namespace repld::link
