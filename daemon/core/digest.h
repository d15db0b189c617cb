// Digests of rows, as SQL expressions that both servers evaluate over their own rows.
//
// The digest of a row is that of its columns, each hashed with its position as the seed, joined by
// XOR and mixed once more. So there is no text of the whole row, no delimiter and no quoting in
// which two rows could look alike, NULL is not '', and values that change places are seen. Values
// are hashed as they print (that is what replication carries: 1.0 is not 1.00, -0 is not 0) in
// collation "C"; those of a few types as they are stored, which says the same and is cheaper.
//
// Mixing matters: digests of rows are summed up, and without it the sum would be the same for
// rows that have exchanged values of a column.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace repld {

enum class DigestMethod {
  hash,  // hashtextextended and its kin
  md5,   // where the servers do not agree on those
};

struct Digest {
  DigestMethod method = DigestMethod::hash;
  bool recode = false;  // the databases' encodings differ: hash what UTF-8 makes of the text

  bool operator==(const Digest&) const = default;
};

// What the catalogs of one side say of a column's type.
struct ColumnType {
  uint32_t oid = 0;
  bool plain = false;  // built in, and its cast to text is what it prints
};

enum class ColumnForm { output, text, int2, int4, int8, uuid, timestamp, timestamptz };

// One form for both sides.
ColumnForm column_form(const ColumnType& source, const ColumnType& target);

struct DigestColumn {
  std::string name;
  ColumnForm form = ColumnForm::output;
  bool key = false;
};

// As it prints; null for null.
std::string column_text(const DigestColumn& column);
// A bigint, never null.
std::string column_hash(const Digest& digest, const DigestColumn& column, size_t position);
// Of those columns that are part of the key, or of the others.
std::string columns_hash(const Digest& digest, const std::vector<DigestColumn>& columns, bool key);
// `hash` is evaluated twice.
std::string mixed(const Digest& digest, std::string_view hash);

// A query whose one value is the same on two servers whose digests agree.
std::string digest_probe(DigestMethod method, bool utf8);

}  // namespace repld
