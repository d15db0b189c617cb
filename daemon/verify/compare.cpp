#include "verify/compare.h"

#include <algorithm>
#include <chrono>

#include "core/verify_merge.h"
#include "verify/digest_choice.h"
#include "verify/together.h"

namespace repld::verify {

namespace {

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

ColumnType type_of(const std::map<std::string, ColumnType>& types, const TableName& table,
                   const std::string& column) {
  const auto found = types.find(column);
  if (found == types.end()) {
    throw missing_column(table, column);
  }
  return found->second;
}

}  // namespace

Comparison::Comparison(const Endpoint& source, const Endpoint& target,
                       const CompareOptions& options)
    : Comparison(source, target, choose_digest(source.connection, target.connection), options) {}

Comparison::Comparison(const Endpoint& source, const Endpoint& target, const Digest& digest,
                       const CompareOptions& options)
    : source_{Scan(source)}, target_{Scan(target)}, digest_(digest), options_(options) {}

void Comparison::interrupt() const {
  // At once, since one server may be slow to answer.
  run_together({[this] { source_.scan.interrupt(); }, [this] { target_.scan.interrupt(); }}, [] {},
               {});
}

void Comparison::on_both(const std::function<void(Side&)>& job, const std::stop_token& stop) {
  run_together(
      {[&] { job(source_); }, [&] { job(target_); }}, [this] { interrupt(); }, stop);
}

ScanPlan Comparison::make_plan(const ComparedTable& table, const std::stop_token& stop) {
  on_both(
      [](Side& side) {
        side.types = side.scan.column_types(side.parts);
        side.row_estimate = side.scan.row_estimate(side.parts);
      },
      stop);
  ScanPlan plan;
  plan.digest = digest_;
  plan.buckets = bucket_count(std::max(source_.row_estimate, target_.row_estimate));
  for (const std::string& column : table.columns) {
    const ColumnForm form = column_form(type_of(source_.types, table.name, column),
                                        type_of(target_.types, table.name, column));
    plan.columns.push_back({column, form, table.key.empty() || contains(table.key, column)});
  }
  return plan;
}

void Comparison::sum_up(const ScanPlan& plan, const std::stop_token& stop) {
  on_both(
      [&](Side& side) {
        side.sums = BucketSums(plan.buckets);
        side.scan.begin(bucket_scan(plan, side.parts));
        while (const auto line = side.scan.read(stop)) {
          side.sums.add(*line);
        }
        // Partitions may be attached in spite of the lock.
        side.unchanged = side.scan.unchanged(side.parts);
      },
      stop);
}

void Comparison::find_rows(const ScanPlan& plan, const std::vector<int64_t>& buckets,
                           TableProof& proof, const std::stop_token& stop) {
  // Returns when the first rows are there, which is when the server has sorted them all.
  on_both([&](Side& side) { side.scan.begin(row_scan(plan, side.parts, buckets)); }, stop);
  const auto rows_of = [&stop](Scan& scan) -> RowStream {
    return [&stop, &scan]() -> std::optional<ScannedRow> {
      const auto line = scan.read(stop);
      return line ? std::optional(parse_scanned_row(*line)) : std::nullopt;
    };
  };
  const auto merge = [&] {
    merge_rows(rows_of(source_.scan), rows_of(target_.scan), options_.listed_max, proof);
  };
  run_together(
      {merge}, [this] { interrupt(); }, stop);
  on_both([](Side& side) { side.unchanged = side.scan.unchanged(side.parts); }, stop);
  if (proof.missing + proof.extra + proof.different == 0 ||
      proof.rows - proof.missing != proof.target_rows - proof.extra) {
    proof.unproven = "sums of the rows and the rows themselves do not agree";
  }
}

bool Comparison::unchanged(TableProof& proof) const {
  for (const Side* side : {&source_, &target_}) {
    if (!side->unchanged) {
      proof.unproven = fmt::format("rewritten, truncated or repartitioned on the {} meanwhile",
                                   side == &source_ ? "source" : "target");
    }
  }
  return proof.unproven.empty();
}

void Comparison::compare_into(TableProof& proof, const ComparedTable& table,
                              const std::stop_token& stop) {
  source_.parts = table.source;
  target_.parts = table.target;
  on_both([](Side& side) { side.unchanged = side.scan.lock(side.parts); }, stop);
  if (!unchanged(proof)) {
    return;
  }
  const ScanPlan plan = make_plan(table, stop);
  for (const DigestColumn& column : plan.columns) {
    if (column.key) {
      proof.key.push_back(column.name);
      proof.key_forms.push_back(column.form);
    }
  }
  sum_up(plan, stop);
  proof.rows = source_.sums.rows();
  proof.target_rows = target_.sums.rows();
  const std::vector<int64_t> buckets = source_.sums.differing(target_.sums);
  if (unchanged(proof) && !buckets.empty()) {
    find_rows(plan, buckets, proof, stop);
    unchanged(proof);
  }
}

TableProof Comparison::compare(const ComparedTable& table, const std::stop_token& stop) {
  const auto began = std::chrono::steady_clock::now();
  const int64_t bytes_before = source_.scan.bytes() + target_.scan.bytes();
  TableProof proof;
  proof.table = table.name;
  compare_into(proof, table, stop);
  proof.bytes = source_.scan.bytes() + target_.scan.bytes() - bytes_before;
  proof.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  return proof;
}

}  // namespace repld::verify
