// A small language for the stream of one server, and what the assembler makes of it.
//
//   assemble({begin(0x100), describe(), insert({text("1"), kNull}), commit(0x100, 0x130)})
//
// Texts are views: give literals, or what outlives the message.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/transaction.h"

namespace repld::testing {

inline constexpr uint32_t kOid = 16384;
inline constexpr size_t kNoPartLimit = size_t{1} << 30;

inline pgoutput::Message begin(uint64_t final_lsn, uint32_t xid = 700) {
  return pgoutput::Begin{Lsn{final_lsn}, 1234, xid};
}
inline pgoutput::Message commit(uint64_t commit_lsn, uint64_t end_lsn) {
  return pgoutput::Commit{Lsn{commit_lsn}, Lsn{end_lsn}, 1234};
}
inline pgoutput::Message describe(uint32_t oid = kOid) {
  Relation relation;
  relation.oid = oid;
  relation.schema = "public";
  relation.name = "clients";
  relation.columns = {{"id", 20, -1, true}, {"name", 25, -1, false}};
  return relation;
}
inline pgoutput::Column text(std::string_view value) { return {Value::Kind::text, value}; }
inline const pgoutput::Column kNull = {Value::Kind::null, {}};
inline const pgoutput::Column kUnchanged = {Value::Kind::unchanged, {}};

using OldKind = pgoutput::OldRow::Kind;

inline pgoutput::Message insert(pgoutput::Tuple row, uint32_t oid = kOid) {
  return pgoutput::Insert{oid, std::move(row)};
}
inline pgoutput::Message update(OldKind kind, pgoutput::Tuple old_row, pgoutput::Tuple row) {
  return pgoutput::Update{kOid, {kind, std::move(old_row)}, std::move(row)};
}
inline pgoutput::Message remove(OldKind kind, pgoutput::Tuple old_row) {
  return pgoutput::Delete{kOid, {kind, std::move(old_row)}};
}
inline pgoutput::Message truncate(std::vector<uint32_t> oids, bool cascade, bool restart_identity) {
  return pgoutput::Truncate{cascade, restart_identity, std::move(oids)};
}
inline pgoutput::Message logical(bool transactional, std::string_view prefix,
                                 std::string_view content = "nonce") {
  return pgoutput::LogicalMessage{transactional, Lsn{5}, prefix, content};
}

inline std::vector<TransactionPart> assemble(const std::vector<pgoutput::Message>& messages,
                                             uint64_t resume_after = 0,
                                             size_t part_bytes_max = kNoPartLimit) {
  TransactionAssembler assembler(Lsn{resume_after}, part_bytes_max);
  std::vector<TransactionPart> parts;
  for (const pgoutput::Message& message : messages) {
    if (std::optional<TransactionPart> part = assembler.push(message)) {
      parts.push_back(std::move(*part));
    }
  }
  return parts;
}

inline bool refused(const std::vector<pgoutput::Message>& messages, uint64_t resume_after = 0) {
  try {
    assemble(messages, resume_after);
  } catch (const Error& error) {
    return error.kind() == ErrorKind::protocol;
  }
  return false;
}

// The two columns of a row, as "1|null".
inline std::string row_at(const TransactionPart& part, size_t first) {
  std::string shown;
  for (size_t i = first; i < first + 2; ++i) {
    const Value& value = part.values.at(i);
    shown += i == first ? "" : "|";
    switch (value.kind) {
      case Value::Kind::null: shown += "null"; break;
      case Value::Kind::unchanged: shown += "unchanged"; break;
      case Value::Kind::text: shown += std::string(part.text(value), value.length); break;
    }
  }
  return shown;
}

}  // namespace repld::testing
