// SQL that applies one change of one source relation to its target table.
//
// Two forms of each statement. `exact` is for replicas, where every row count is known before:
// INSERT fails on a row that is there, and all three fail (22012) unless they touch one row. So
// drift, or a trigger that swallows a row, aborts the batch on the server, before its COMMIT,
// although the client has long sent that. `mending` is idempotent, for the replay of such a batch
// and for targets that others write to: INSERT upserts by key, UPDATE upserts the row when the old
// one is missing, DELETE may find nothing. Each answers with one row, whose first column says
// whether the row was there before; a row that was swallowed still fails. An UPDATE that leaves
// columns alone does not bring the row whole: when it is missing, its key goes to repld.refetch, in
// the same transaction, and verify/healer brings the row from the source.
//
// No UPDATE can give a column GENERATED ALWAYS AS IDENTITY a value. A row whose identity the source
// has changed is deleted and inserted again by one statement, which keeps what it had in the
// columns that were left alone. Whether the identity has changed only the row itself can tell.
//
// Values are parameters in text form, each with a cast to the column's type without its type
// modifier: the assignment to the column then checks length and scale as any INSERT would.
// A table without a key is matched by its whole old row as it prints, NULLs equal, exactly one
// row, by ctid.
#pragma once

#include <string>
#include <vector>

#include "core/transaction.h"

namespace repld {

// One column of a source relation on the target; parallel to Relation::columns.
struct MappedColumn {
  std::string name;       // quoted
  std::string type;       // without type modifier, schema-qualified, ready for a cast
  std::string array;      // array of it; empty: there is none, or not with commas between
  std::string equality;   // operator, schema-qualified; empty: compare the text forms
  std::string collation;  // to compare by, quoted; empty: the type's own
  bool written = true;    // false: generated on the target, left out
  bool key = false;
  bool in_primary_key = false;   // of the target, so never null
  bool identity_always = false;  // on the target: inserted (overriding), never set

  bool operator==(const MappedColumn&) const = default;
};

struct RowMapping {
  std::string target;        // quoted and qualified
  bool partitioned = false;  // then rows are reached through the root, else by ONLY
  std::vector<MappedColumn> columns;
  std::vector<std::string> others;  // quoted columns that the source has not and nothing computes
  // What repld.refetch has of the table: link, schema, name and the key's columns in the order of
  // `columns`, as literals in a list.
  std::string refetch;

  // The key is that of a unique index, so an INSERT can be made an upsert by it.
  bool keyed() const;
};

enum class Strictness { exact, mending };

struct Statement {
  struct Parameter {
    bool old_row = false;
    size_t column = 0;        // index into Relation::columns
    bool as_printed = false;  // as text, whatever its type
    bool operator==(const Parameter&) const = default;
  };
  std::string sql;
  std::vector<Parameter> parameters;  // $1 is the first
};

// What distinguishes one UPDATE of a relation from another.
struct UpdateShape {
  std::vector<bool> known;  // per column: false where the new row says "unchanged TOAST"
  bool old_row = false;     // match by the old row's columns instead of the new one's
  std::vector<bool> moved;  // per column: key columns that differ, so they are set; empty: none

  bool moves(size_t column) const { return column < moved.size() && moved[column]; }
};

Statement insert_statement(const RowMapping& mapping, Strictness strictness);
Statement update_statement(const RowMapping& mapping, const UpdateShape& shape,
                           Strictness strictness);
Statement delete_statement(const RowMapping& mapping, Strictness strictness);
// `targets` are quoted and qualified; each with ONLY in front where it has no partitions.
std::string truncate_statement(const std::vector<std::string>& targets, bool restart_identity);

}  // namespace repld
