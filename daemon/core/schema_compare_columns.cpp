#include <fmt/format.h>

#include "core/effects.h"
#include "core/schema_compare.h"
#include "core/schema_essence.h"
#include "core/sql_text.h"
#include "core/type_fit.h"

namespace repld::schema {

namespace {

constexpr const char* kTakesNull =
    "The column takes nulls from then on, which applications of the target may not expect. ";

class ColumnComparison {
 public:
  ColumnComparison(const Database& target, const Table& want, const Table& have,
                   std::vector<Change>& changes)
      : target_(target), want_(want), have_(have), changes_(changes) {}

  void missing(const Column& column) {
    if (column.local && !want_.parent) {
      add(Severity::error, fmt::format("column {} is missing", title(column)),
          "There is no place for its values.",
          {fmt::format("alter table {} add column {}", quoted(have_.name), column_clause(column))},
          kLocksForMoment + std::string(" With a default that is computed row by row, and with "
                                        "identity, the table is written anew meanwhile."));
    }
  }

  void extra(const Column& column) {
    if (column.not_null && column.expression.empty() && column.identity.empty()) {
      add(Severity::error, fmt::format("column {} is not on the source", title(column)),
          "It must not be null and has no default, so no row could be written.",
          {alter(column) + " drop not null"}, kTakesNull + std::string(kLocksForMoment));
    }
  }

  void both(const Column& want, const Column& have) {
    if (!want_.parent) {
      compare_type(want, have);
      compare_generated(want, have);
    }
    compare_null(want, have);
    if (want.generated.empty() && have.generated.empty()) {
      compare_default(want, have);
    }
  }

 private:
  std::string title(const Column& column) const {
    return fmt::format("{} of {}", column.name, want_.name.full());
  }
  std::string alter(const Column& column) const {
    return fmt::format("alter table {} alter column {}", quoted(have_.name),
                       quote_identifier(column.name));
  }

  void add(Severity severity, const std::string& what, const std::string& why,
           const std::vector<std::string>& sql, const std::string& effect) {
    std::vector<Statement> statements;
    for (const std::string& each : sql) {
      statements.push_back({Phase::column, each, effect});
    }
    changes_.push_back(
        change_of(severity, "column", what, why, statements, altering_role(target_, have_)));
  }

  void compare_type(const Column& want, const Column& have) {
    const TypeFit fit = fit_of({want.type, want.parts}, {have.type, have.parts});
    if (fit == TypeFit::lossy && want.type == have.type) {
      other_parts(want, have);
    } else if (fit != TypeFit::same) {
      add(fit == TypeFit::wider ? Severity::warning : Severity::error,
          fmt::format("column {} is {}, on the source {}", title(want), have.type, want.type),
          why(fit),
          {fmt::format("{} type {} using {}", alter(want), want.type,
                       recast(quote_identifier(want.name), have.type, want.type))},
          std::string(kLocksWhileRewritten) +
              " A value that does not fit stops it, and so does a view that shows the column.");
    } else if (want.collation != have.collation) {
      add(Severity::warning,
          fmt::format("column {} is collated {}, on the source {}", title(want),
                      have.collation.empty() ? "by default" : have.collation,
                      want.collation.empty() ? "by default" : want.collation),
          "Sorting and, with a nondeterministic collation, equality differ.",
          {fmt::format(
              "{} type {}{}", alter(want), want.type,
              want.collation.empty() ? " collate \"default\"" : " collate " + want.collation)},
          "Queries sort by it otherwise, and nobody can read or write the table while its indexes "
          "are built anew.");
    }
  }

  static const char* why(TypeFit fit) {
    switch (fit) {
      case TypeFit::wider: return "All values fit, but the way back may not.";
      case TypeFit::lossy: return "Values would be written otherwise, and nothing would say so.";
      default: return "Values may not fit or read otherwise.";
    }
  }

  // Domains or composites of one name that are not the same.
  void other_parts(const Column& want, const Column& have) {
    const auto loss = loss_of({want.type, want.parts}, {have.type, have.parts});
    add(Severity::error,
        fmt::format("column {} holds {}, on the source {}", title(want), loss->target,
                    loss->source),
        why(TypeFit::lossy), {}, "");
    changes_.back().finding.action =
        fmt::format("Make type {} on the target as it is on the source.", want.type);
  }

  void compare_generated(const Column& want, const Column& have) {
    if (!want.generated.empty() &&
        (have.generated.empty() || essence_of(want.expression) != essence_of(have.expression))) {
      add(Severity::error, fmt::format("column {} is not generated as on the source", title(want)),
          "A generated column is not in the stream: the target has to compute it.",
          {fmt::format("alter table {} drop column {}", quoted(have_.name),
                       quote_identifier(want.name)),
           fmt::format("alter table {} add column {}", quoted(have_.name), column_clause(want))},
          std::string(
              "The target's values of the column, and indexes and checks on it, are gone; it "
              "is computed for every row. ") +
              kLocksWhileRewritten);
    } else if (want.generated.empty() && !have.generated.empty()) {
      add(Severity::error, fmt::format("column {} is generated, on the source not", title(want)),
          "The source's values could not be written.", {alter(want) + " drop expression"},
          std::string("The column keeps its values and is no longer computed. ") + kLocksForMoment);
    }
  }

  void compare_null(const Column& want, const Column& have) {
    if (have.not_null && !want.not_null) {
      add(Severity::error,
          fmt::format("column {} must not be null, on the source it may", title(want)),
          "Rows with a null would be refused.", {alter(want) + " drop not null"},
          kTakesNull + std::string(kLocksForMoment));
    } else if (want.not_null && !have.not_null) {
      add(Severity::warning,
          fmt::format("column {} may be null, on the source it must not", title(want)),
          "After the cutover nobody would check it.", {alter(want) + " set not null"},
          std::string("A null is refused from then on. ") + kLocksWhileChecked);
    }
  }

  void compare_default(const Column& want, const Column& have) {
    if (want.identity == have.identity && want.expression == have.expression) {
      return;
    }
    std::vector<std::string> sql;
    if (!have.identity.empty() && want.identity != have.identity) {
      sql.push_back(fmt::format("{} alter column {} drop identity", alter_only(have_),
                                quote_identifier(want.name)));
    }
    Column wanted = want;
    wanted.identity = want.identity == have.identity ? "" : want.identity;
    for (const std::string& each : set_expression(have_, wanted)) {
      sql.push_back(each);
    }
    add(Severity::warning, fmt::format("default of column {} is not the source's", title(want)),
        "After the cutover new rows would get another value, or none.", sql,
        std::string("Rows that applications add here get another value from then on. ") +
            kLocksForMoment);
  }

  const Database& target_;
  const Table& want_;
  const Table& have_;
  std::vector<Change>& changes_;
};

}  // namespace

void compare_columns(const Database& target, const Table& want, const Table& have,
                     std::vector<Change>& changes) {
  ColumnComparison comparison(target, want, have, changes);
  for (const Column& column : want.columns) {
    const Column* found = have.find_column(column.name);
    if (found == nullptr) {
      comparison.missing(column);
    } else {
      comparison.both(column, *found);
    }
  }
  for (const Column& column : have.columns) {
    if (want.find_column(column.name) == nullptr && !have.parent) {
      comparison.extra(column);
    }
  }
}

}  // namespace repld::schema
