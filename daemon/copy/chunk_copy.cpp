#include "copy/chunk_copy.h"

#include "apply/progress_store.h"
#include "base/failpoint.h"
#include "core/sql_text.h"

namespace repld::copy {

namespace {

constexpr int64_t kReportBytes = 256 << 10;

std::string column_list(const std::vector<std::string>& columns) {
  std::vector<std::string> quoted;
  for (const std::string& column : columns) {
    quoted.push_back(quote_identifier(column));
  }
  return fmt::format("{}", fmt::join(quoted, ", "));
}

std::string copy_out(const ChunkSource& chunk) {
  std::string sql =
      fmt::format("copy (select {} from only {} where ctid >= '({},0)'", column_list(chunk.columns),
                  quote_qualified(chunk.leaf.schema, chunk.leaf.name), chunk.first_page);
  if (chunk.end_page) {
    sql += fmt::format(" and ctid < '({},0)'", *chunk.end_page);
  }
  if (!chunk.filter.empty()) {
    sql += fmt::format(" and ({})", chunk.filter);
  }
  return sql + ") to stdout";
}

}  // namespace

ChunkCopy::ChunkCopy(const pg::Server& source, const pg::Server& target, CopyRights rights)
    : source_(source), target_(target), rights_(std::move(rights)) {
  target_.exec("select set_config('repld.apply', $1, false)", {rights_.guard_nonce});
}

void ChunkCopy::open_source(const ChunkSource& chunk) {
  source_.exec("begin isolation level repeatable read read only");
  pg::import_snapshot(source_, rights_.snapshot);
  const std::string table = quote_qualified(chunk.leaf.schema, chunk.leaf.name);
  // The application's DDL may hold it for long; the link stands still meanwhile.
  source_.exec("set local lock_timeout = '2s'");
  source_.exec(fmt::format("lock table only {} in access share mode", table));
  const auto same = source_.exec(
      "select c.relfilenode = pg_relation_filenode(c.oid) from pg_class c where c.oid = $1::oid",
      {std::to_string(chunk.leaf_oid)});
  if (PQntuples(same.get()) != 1 || pg::text(same, 0, 0) != "t") {
    throw Error(
        ErrorKind::connect,
        fmt::format("table \"{}\" was rewritten or truncated during its copy", chunk.leaf.full()))
        .detail("the copy starts again")
        .table(chunk.leaf.full());
  }
}

Copied ChunkCopy::pump(const std::stop_token& stop, const std::function<void(int64_t)>& progress) {
  Copied copied;
  int64_t unreported = 0;
  while (const auto row = source_.read()) {
    target_.write(*row);
    unreported += static_cast<int64_t>(row->size());
    if (unreported >= kReportBytes) {
      copied.bytes += unreported;
      progress(unreported);
      unreported = 0;
      if (stop.stop_requested()) {
        throw Error(ErrorKind::connect, "stopped");
      }
    }
  }
  copied.bytes += unreported;
  progress(unreported);
  const int64_t sent = source_.finish();
  target_.end_input();
  copied.rows = target_.finish();
  if (sent != copied.rows) {
    throw Error(ErrorKind::conflict, "the target took another number of rows than the source sent")
        .detail("{} of {} rows", copied.rows, sent);
  }
  return copied;
}

// In place of what is there of a relation that was copied before as part of another table.
void ChunkCopy::record(const ChunkSource& chunk, const Copied& copied) {
  target_.exec(
      "insert into repld.copy_chunk (link, schema_name, table_name, first_page, end_page, rows, "
      "bytes, root_schema, root_name) "
      "values ($1, $2, $3, $4, nullif($5, '')::bigint, $6, $7, $8, $9) "
      "on conflict (link, schema_name, table_name, first_page) do update set "
      "end_page = excluded.end_page, rows = excluded.rows, bytes = excluded.bytes, "
      "copied_at = now(), root_schema = excluded.root_schema, root_name = excluded.root_name",
      {rights_.link, chunk.leaf.schema, chunk.leaf.name, std::to_string(chunk.first_page),
       chunk.end_page ? std::to_string(*chunk.end_page) : std::string(),
       std::to_string(copied.rows), std::to_string(copied.bytes), chunk.target.schema,
       chunk.target.name});
}

Copied ChunkCopy::run(const ChunkSource& chunk, const std::stop_token& stop,
                      const std::function<void(int64_t)>& progress) {
  open_source(chunk);
  target_.exec("begin");
  apply::require_owner(target_, rights_.link, rights_.owner);
  source_.begin(copy_out(chunk));
  target_.begin(fmt::format("copy {} ({}) from stdin",
                            quote_qualified(chunk.target.schema, chunk.target.name),
                            column_list(chunk.columns)));
  const Copied copied = pump(stop, progress);
  record(chunk, copied);
  target_.exec("commit");
  source_.exec("commit");
  failpoint("copy.after_chunk");
  return copied;
}

}  // namespace repld::copy
