#include "core/digest.h"

#include <fmt/format.h>

#include <iterator>

#include "core/error.h"
#include "core/sql_text.h"

namespace repld {

namespace {

struct StoredForm {
  uint32_t type;  // fixed since the type exists, see pg_type.dat
  ColumnForm form;
  const char* hash;  // {0} the value, {1} the seed
};

// hashint8extended folds its argument into 32 bits, but takes all 64 of its seed. No function
// hashes all bits of a timestamp, but a record of bytes is hashed byte by byte.
constexpr StoredForm kStoredForms[] = {
    {21, ColumnForm::int2, "hashint2extended({0}, {1})"},
    {23, ColumnForm::int4, "hashint4extended({0}, {1})"},
    {20, ColumnForm::int8, "hashint8extended({0}, {0} # {1})"},
    {2950, ColumnForm::uuid, "uuid_hash_extended({0}, {1})"},
    {1114, ColumnForm::timestamp, "hash_record_extended(row(timestamp_send({0})), {1})"},
    {1184, ColumnForm::timestamptz, "hash_record_extended(row(timestamptz_send({0})), {1})"},
};

const char* stored_hash(ColumnForm form) {
  for (const StoredForm& stored : kStoredForms) {
    if (stored.form == form) {
      return stored.hash;
    }
  }
  return nullptr;
}

std::string md5_hash(std::string_view text) {
  return fmt::format("('x' || substr(md5({}), 1, 16))::bit(64)::bigint", text);
}

}  // namespace

ColumnForm column_form(const ColumnType& source, const ColumnType& target) {
  if (source.oid != target.oid || !source.plain || !target.plain) {
    return ColumnForm::output;
  }
  for (const StoredForm& stored : kStoredForms) {
    if (stored.type == source.oid) {
      return stored.form;
    }
  }
  return ColumnForm::text;
}

std::string column_text(const DigestColumn& column) {
  const std::string name = quote_identifier(column.name);
  if (column.form != ColumnForm::output) {
    return name + "::text";
  }
  // A cast may be anybody's function, or drop blanks; concat always prints. IS NULL would be true
  // of a composite of nulls.
  return fmt::format("case when {0} is distinct from null then concat({0}) end", name);
}

std::string column_hash(const Digest& digest, const DigestColumn& column, size_t position) {
  const char* stored = stored_hash(column.form);
  if (stored != nullptr && digest.method == DigestMethod::hash) {
    const std::string hash =
        fmt::format(fmt::runtime(stored), quote_identifier(column.name), position);
    return fmt::format("coalesce({}, 0)", hash);
  }
  std::string text = column_text(column);
  if (digest.recode) {
    text = fmt::format("encode(convert_to({}, 'UTF8'), 'hex')", text);
  }
  if (digest.method == DigestMethod::md5) {
    return fmt::format("coalesce({}, 0)", md5_hash(fmt::format("'{}:' || ({})", position, text)));
  }
  return fmt::format("coalesce(hashtextextended(({}) collate \"C\", {}), 0)", text, position);
}

std::string columns_hash(const Digest& digest, const std::vector<DigestColumn>& columns, bool key) {
  std::string hash;
  for (size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].key == key) {
      hash += (hash.empty() ? "" : " # ") + column_hash(digest, columns[i], i + 1);
    }
  }
  return hash.empty() ? "bigint '0'" : hash;
}

std::string mixed(const Digest& digest, std::string_view hash) {
  if (digest.method == DigestMethod::md5) {
    return md5_hash(fmt::format("({})::text", hash));
  }
  return fmt::format("hashint8extended({0}, {0})", hash);
}

std::string digest_probe(DigestMethod method, bool utf8) {
  std::vector<std::string> values = {
      "''", "'a'", "repeat('0123456789abcdef', 99) || 'xyz'",
      // What prints in the same way is taken for equal, so printing must agree as well.
      "concat(0.1::float8, '|', '-0'::float4, '|', 1.50, '|', interval '1 mon -1.5 s', '|', true, "
      "'|', '\\x00ff'::bytea, '|', array['a b', null], '|', row(1, ' '))"};
  if (utf8) {
    values.emplace_back("'\xC3\xA9\xD0\xAF\xF0\x9F\x92\x87'");
  }
  std::string probe;
  for (const std::string& value : values) {
    const std::string hash = method == DigestMethod::hash
                                 ? fmt::format("hashtextextended(({}) collate \"C\", 7)", value)
                                 : md5_hash(value);
    probe += (probe.empty() ? "" : ", ") + hash;
  }
  if (method == DigestMethod::hash) {
    const char* samples[] = {"int2 '-2'",
                             "-70000",
                             "bigint '-5000000000'",
                             "uuid '8f14e45f-ceea-467f-9a4b-3f1f4e2d6b11'",
                             "timestamp '2026-03-29 02:30:00.000001'",
                             "timestamptz '1883-11-18 12:03:58+00'"};
    for (size_t i = 0; i < std::size(samples); ++i) {
      probe += ", " + fmt::format(fmt::runtime(kStoredForms[i].hash), samples[i], 7);
    }
  }
  return "select concat_ws(' ', " + probe + ")";
}

}  // namespace repld
