#include "verify/make_equal.h"

#include "pg/snapshot.h"
#include "verify/compare.h"
#include "verify/described.h"
#include "verify/repair.h"

namespace repld::verify {

namespace {

constexpr size_t kListedMax = 20'000;  // rows that are mended one by one; else all are brought anew
constexpr int kPassesMax = 3;

class Equalizer {
 public:
  Equalizer(const link::Settings& settings, const link::CopyRequest& request)
      : settings_(settings),
        request_(request),
        source_catalog_(settings.source),
        target_catalog_(settings.target) {}

  void run(const SourceTable& table) {
    const ComparedTable compared = described(source_catalog_, target_catalog_, table);
    for (int pass = 0; pass < kPassesMax; ++pass) {
      const TableProof proof = compare(compared);
      if (proof.equal()) {
        request_.progress(table.name, proof.rows, proof.bytes);
        request_.finished(table.name);
        return;
      }
      if (!proof.unproven.empty()) {
        // Its rows stream only as far as the snapshot shows the others: the copy starts over.
        throw Error(ErrorKind::connect,
                    fmt::format("table \"{}\" could not be compared", table.name.full()))
            .detail("{}", proof.unproven)
            .table(table.name.full());
      }
      mend(compared, proof);
    }
    throw Error(ErrorKind::conflict,
                fmt::format("table \"{}\" is not equal after it was repaired", table.name.full()))
        .hint("Somebody writes to it past the guard, or a trigger or rule of the target does.")
        .table(table.name.full());
  }

 private:
  TableProof compare(const ComparedTable& table) {
    pg::CopyConnection source(settings_.source);
    pg::CopyConnection target(settings_.target);
    for (pg::CopyConnection* connection : {&source, &target}) {
      connection->exec("begin isolation level repeatable read read only");
    }
    pg::import_snapshot(source, request_.snapshot);
    CompareOptions options;
    options.listed_max = kListedMax;
    return Comparison(Endpoint{settings_.source, source}, Endpoint{settings_.target, target},
                      options)
        .compare(table, request_.stop);
  }

  void mend(const ComparedTable& table, const TableProof& proof) {
    Repair repair(settings_);
    repair.stand_at(request_.snapshot, request_.owner);
    const auto differing = static_cast<size_t>(proof.missing + proof.extra + proof.different);
    if (proof.listed.size() < differing) {
      repair.replace(table, request_.stop);
    } else {
      repair.mend(table, proof, request_.stop);
    }
  }

  const link::Settings& settings_;
  const link::CopyRequest& request_;
  pg::Session source_catalog_;
  pg::Session target_catalog_;
};

}  // namespace

void make_equal(const link::Settings& settings, const link::CopyRequest& request) {
  Equalizer equalizer(settings, request);
  for (const SourceTable& table : request.filled) {
    equalizer.run(table);
  }
}

}  // namespace repld::verify
