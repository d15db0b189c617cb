#include "core/verify_sql.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/sql_text.h"

namespace repld {

namespace {

std::string relation(const TablePart& part) {
  return quote_qualified(part.name.schema, part.name.name);
}

// Without the rows of what inherits from it.
std::string rows_relation(const TablePart& part) {
  return (part.with_partitions ? "" : "only ") + relation(part);
}

std::string regclass(const TablePart& part) { return quote_literal(relation(part)) + "::regclass"; }

// Relations that hold the rows of the parts, or only bind those together, as the snapshot shows.
std::string tree(const std::vector<TablePart>& parts) {
  std::string roots;
  for (const TablePart& part : parts) {
    roots += fmt::format("{}({}::oid, {})", roots.empty() ? "" : ", ", regclass(part),
                         part.with_partitions);
  }
  return fmt::format(
      "with recursive tree(node, whole) as (values {} union all "
      "select i.inhrelid, true from tree t join pg_inherits i on i.inhparent = t.node "
      "where t.whole) ",
      roots);
}

// The inner query is kept apart from the one around it, so that what it computes is computed once
// and the planner expects few groups, not one a key, which it would not aggregate in parallel. The
// typed zero is what it recognises as no offset while it decides on parallelism.
std::string rows_of(const std::vector<TablePart>& parts, const std::string& columns,
                    const std::string& condition) {
  std::string rows;
  for (const TablePart& part : parts) {
    std::vector<std::string> conditions;
    if (!part.filter.empty()) {
      conditions.push_back("(" + part.filter + ")");
    }
    if (!condition.empty()) {
      conditions.push_back(condition);
    }
    rows += fmt::format("{}select {} from {}{}{}", rows.empty() ? "" : " union all ", columns,
                        rows_relation(part), conditions.empty() ? "" : " where ",
                        fmt::join(conditions, " and "));
  }
  return "(" + rows + " offset bigint '0') r";
}

std::string hashes(const ScanPlan& plan) {
  return fmt::format("{} as k, {} as v", columns_hash(plan.digest, plan.columns, true),
                     columns_hash(plan.digest, plan.columns, false));
}

}  // namespace

std::string lock_statement(const std::vector<TablePart>& parts) {
  std::string relations;
  for (const TablePart& part : parts) {
    relations += (relations.empty() ? "" : ", ") + rows_relation(part);
  }
  return "lock table " + relations + " in access share mode";
}

std::string column_types_query(const std::vector<TablePart>& parts) {
  return fmt::format(
      "select a.attname, t.oid, t.typtype = 'b' and t.oid < 16384 and t.typname <> 'bpchar' "
      "and not exists (select from pg_cast c where c.castsource = t.oid "
      "and c.casttarget = 'text'::regtype and c.oid >= 16384) "
      "from pg_attribute a join pg_type t on t.oid = a.atttypid "
      "where a.attrelid = {} and a.attnum > 0 and not a.attisdropped",
      regclass(parts.front()));
}

std::string row_estimate_query(const std::vector<TablePart>& parts) {
  // As the planner does: rows a page when last looked at, times the pages of now.
  return tree(parts) +
         "select coalesce(sum(p.pages * case when c.relpages > 0 and c.reltuples > 0 "
         "then c.reltuples / c.relpages else 50 end), 0)::bigint "
         "from tree t join pg_class c on c.oid = t.node and c.relkind = 'r', "
         "lateral (select pg_relation_size(c.oid) / current_setting('block_size')::int as pages) p";
}

std::string unchanged_query(const std::vector<TablePart>& parts) {
  return tree(parts) +
         "select not exists (select from tree t left join pg_class c on c.oid = t.node "
         "where c.oid is null or c.relkind = 'r' "
         "and c.relfilenode is distinct from pg_relation_filenode(c.oid)) "
         "and not exists (select from tree t, pg_partition_tree(t.node) p "
         "join pg_class c on c.oid = p.relid "
         "where t.whole and c.oid not in (select node from tree))";
}

std::string bucket_scan(const ScanPlan& plan, const std::vector<TablePart>& parts) {
  return fmt::format("copy (select k & {}, count(*), sum({}) from {} group by 1) to stdout",
                     plan.buckets - 1, mixed(plan.digest, "k # v"),
                     rows_of(parts, hashes(plan), ""));
}

std::string row_scan(const ScanPlan& plan, const std::vector<TablePart>& parts,
                     const std::vector<int64_t>& buckets) {
  std::string columns = hashes(plan);
  std::string listed;
  for (size_t i = 0; i < plan.columns.size(); ++i) {
    if (plan.columns[i].key) {
      columns += fmt::format(", {} as c{}", column_text(plan.columns[i]), i);
      listed += fmt::format(", c{}", i);
    }
  }
  const std::string condition = fmt::format("(({}) & {}) = any ('{{{}}}'::bigint[])",
                                            columns_hash(plan.digest, plan.columns, true),
                                            plan.buckets - 1, fmt::join(buckets, ","));
  return fmt::format("copy (select k, {}{} from {} order by 1) to stdout",
                     mixed(plan.digest, "k # v"), listed, rows_of(parts, columns, condition));
}

}  // namespace repld
