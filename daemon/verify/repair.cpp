#include "verify/repair.h"

#include <set>

#include "apply/progress_store.h"
#include "apply/surroundings.h"
#include "base/failpoint.h"
#include "core/array_text.h"
#include "core/repair_sql.h"
#include "core/sql_text.h"
#include "core/verify_sql.h"
#include "link/partitions.h"
#include "verify/scan.h"

namespace repld::verify {

namespace {

int64_t affected(const pg::ResultHandle& result) { return std::atoll(PQcmdTuples(result.get())); }

}  // namespace

Repair::Repair(const link::Settings& settings)
    : settings_(settings), source_(settings.source), target_(settings.target) {
  for (pg::CopyConnection* connection : {&source_, &target_}) {
    connection->exec(kNoLongWait);
  }
}

void Repair::stand_at(const pg::ExportedSnapshot& source_snapshot, std::string owner) {
  owner_ = std::move(owner);
  source_.exec("begin isolation level repeatable read read only");
  pg::import_snapshot(source_, source_snapshot);
}

// Begins the target's transaction as the owner of the link, whom the guard lets pass. Returns the
// guard's nonce.
std::string Repair::own() {
  target_.exec("begin");
  const std::string nonce = apply::require_owner(target_, settings_.config.link.name, owner_);
  target_.exec("select set_config('repld.apply', $1, true)", {nonce});
  return nonce;
}

// A partition that was attached with its rows has streamed nothing: those that have rows in the
// fence's snapshot and that the target lacks are made. While own() stands; it holds no lock on the
// tables yet. A target that divides the table in another way lacks them on purpose. A crash
// afterwards leaves them empty and guarded.
void Repair::complete_partitions(const ComparedTable& table, const std::string& guard_nonce) {
  std::vector<std::string> names;
  for (const TablePart& part : table.source) {
    names.push_back(quote_qualified(part.name.schema, part.name.name));
  }
  pg::Session target(settings_.target);
  std::vector<SourceLeaf> leaves;
  for (const auto& row :
       target.exec_params("select place - 1 from unnest($1::text[]) with ordinality n(name, place) "
                          "where to_regclass(name) is null",
                          array_text(names))) {
    const auto place = row[0].as<size_t>();
    const auto answer =
        source_.exec(fmt::format("select {}::regclass::oid, "
                                 "exists (select from only {})",
                                 quote_literal(names[place]), names[place]));
    if (pg::text(answer, 0, 1) == "t") {
      leaves.emplace_back();
      leaves.back().oid = static_cast<uint32_t>(std::stoul(pg::text(answer, 0, 0)));
      leaves.back().name = table.source[place].name;
    }
  }
  if (leaves.empty()) {
    return;
  }
  const Config& config = settings_.config;
  pg::Session source(settings_.source);
  apply::Surroundings surroundings(config.link.name, guard_nonce);
  std::set<uint32_t> divided_otherwise;
  link::Partitions(source, target, surroundings, guard_nonce, config, divided_otherwise)
      .complete(table.name, leaves);
}

void Repair::require_unchanged(const ComparedTable& table) {
  const auto answer =
      source_.exec(lock_statement(table.source) + "; " + unchanged_query(table.source));
  if (pg::text(answer, 0, 0) != "t") {
    throw Error(ErrorKind::refused, "a table was rewritten or truncated on the source meanwhile")
        .hint("Try again.")
        .table(table.name.full());
  }
}

std::vector<ColumnForm> Repair::column_forms(const ComparedTable& table,
                                             const std::vector<std::string>& columns) {
  const auto source = column_types(source_, table.source);
  const auto target = column_types(target_, table.target);
  std::vector<ColumnForm> forms;
  for (const std::string& column : columns) {
    if (source.count(column) == 0 || target.count(column) == 0) {
      throw missing_column(table.name, column);
    }
    forms.push_back(column_form(source.at(column), target.at(column)));
  }
  return forms;
}

MendedTable Repair::mend(const ComparedTable& table, const TableProof& proof,
                         const std::stop_token& stop, const std::string& also) {
  MendedTable mended;
  mended.table = table.name;
  require_unchanged(table);
  const std::string nonce = own();
  if (proof.missing > 0 && is_partitioned(table)) {
    complete_partitions(table, nonce);
  }
  const std::vector<std::string> conditions = rows_conditions(table, proof);
  // First all that must go: a value of another unique index may move from one row to another.
  for (const std::string& condition : conditions) {
    for (const TablePart& part : table.target) {
      mended.removed += affected(target_.exec(delete_rows(part, condition)));
    }
  }
  for (const std::string& condition : conditions) {
    for (const TablePart& part : table.source) {
      mended.written += bring(part, table, condition, stop);
    }
  }
  if (!also.empty()) {
    target_.exec(also);
  }
  failpoint("repair.before_commit");
  target_.exec("commit");
  return mended;
}

MendedTable Repair::replace(const ComparedTable& table, const std::stop_token& stop) {
  MendedTable mended;
  mended.table = table.name;
  require_unchanged(table);
  const std::string nonce = own();
  if (is_partitioned(table)) {
    complete_partitions(table, nonce);
  }
  for (const TablePart& part : table.target) {
    mended.removed += affected(target_.exec(delete_rows(part, "true")));
  }
  for (const TablePart& part : table.source) {
    mended.written += bring(part, table, "true", stop);
  }
  failpoint("repair.before_commit");
  target_.exec("commit");
  return mended;
}

int64_t Repair::bring(const TablePart& part, const ComparedTable& table,
                      const std::string& condition, const std::stop_token& stop) {
  source_.begin(copy_rows_out(part, table.columns, condition));
  bool begun = false;  // most partitions have nothing to bring
  while (const auto row = source_.read()) {
    if (stop.stop_requested()) {
      throw Error(ErrorKind::connect, "stopped");
    }
    if (!begun) {
      target_.begin(copy_rows_in(table.target.front().name, table.columns));
      begun = true;
    }
    target_.write(*row);
  }
  const int64_t sent = source_.finish();
  if (!begun) {
    return 0;
  }
  target_.end_input();
  if (target_.finish() != sent) {
    throw Error(ErrorKind::conflict, "the target took another number of rows than the source sent")
        .table(table.name.full());
  }
  return sent;
}

}  // namespace repld::verify
