// Whether a type of the target takes all values of the source's, and what becomes of those that it
// does not take. One judgement for the preflight and for the link.
//
// A value travels as text and is read by the target column's own input. Most of what does not fit
// is refused there (22001, 22003, 22P02), and stops the link at that value. What is not refused
// and written as another value is `lossy`, and refused before a value is written:
//   numeric, real, double precision   to a smaller scale or fewer digits; to money
//   bigint, integer                   to floating point of fewer digits; to oid, xid, xid8, cid
//   timestamp, time, interval         to fewer digits of seconds or fields
//   timestamp <-> timestamptz, time <-> timetz, and what drops a date or a time
//   json -> jsonb                     loses order, duplicates and the way it is written
//   text and its kin                  to a shorter varchar (drops trailing blanks), char(n) (blanks
//                                     mean nothing there), name, "char" (cut), and to any built-in
//                                     type that reads several spellings as one value
// Fields of composites, elements of arrays, bounds of ranges and what domains stand for are judged
// likewise. Types of users and of extensions are let pass: what they refuse is their own.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace repld {

// A type that reads and prints for itself, and where in a value it stands: '' the value itself,
// [] an element, .n the n-th field, .. the bounds of a range.
struct TypePart {
  std::string path;
  std::string type;  // with modifier

  bool operator==(const TypePart&) const = default;
};

// Names as format_type() writes them under an empty search_path: those of built-in types have no
// schema.
struct TypeShape {
  std::string name;             // with modifier; empty: not known
  std::vector<TypePart> parts;  // by path
};

// same: word by word. wider: takes every value as it is. different: what it does not take is
// refused, or is not known. lossy: see above.
enum class TypeFit { same, wider, different, lossy };
TypeFit fit_of(const TypeShape& source, const TypeShape& target);

// The types of the first part that is lossy.
struct TypeLoss {
  std::string source;
  std::string target;
};
std::optional<TypeLoss> loss_of(const TypeShape& source, const TypeShape& target);

// What ALTER COLUMN .. TYPE needs behind USING. Times with and without a zone are read as repld
// writes them, in UTC, whatever zone the operator's session has. `column`: quoted.
std::string recast(const std::string& column, const std::string& from, const std::string& to);

}  // namespace repld
