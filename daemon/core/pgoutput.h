// Decodes one pgoutput message, protocol version 1 with messages 'true'.
//
// Source: PostgreSQL, "Logical Replication Message Formats". Integers are big-endian; strings
// end with a zero byte.
//
//   B  int64 final_lsn  int64 commit_time  int32 xid
//   C  int8 flags  int64 commit_lsn  int64 end_lsn  int64 commit_time
//   O  int64 commit_lsn  string name
//   R  int32 oid  string schema  string name  int8 identity  int16 n  n * (int8 flags  string
//      name  int32 type  int32 modifier)            an empty schema means pg_catalog
//   Y  int32 oid  string schema  string name
//   I  int32 oid  'N' tuple
//   U  int32 oid  ['K' tuple | 'O' tuple]  'N' tuple
//   D  int32 oid  ('K' tuple | 'O' tuple)
//   T  int32 n  int8 flags (1 cascade, 2 restart identity)  n * int32 oid
//   M  int8 flags (1 transactional)  int64 lsn  string prefix  int32 length  bytes
//   tuple: int16 n  n * ('n' | 'u' | 't' int32 length bytes)
//
// Anything else, a short message and bytes left over are Error(protocol).
#pragma once

#include <cstdint>
#include <string_view>
#include <variant>
#include <vector>

#include "core/lsn.h"
#include "core/relation.h"

namespace repld::pgoutput {

// Borrows from the decoded payload, as do all string_views below.
struct Column {
  Value::Kind kind = Value::Kind::null;
  std::string_view text;
};
using Tuple = std::vector<Column>;

struct OldRow {
  enum class Kind : uint8_t { none, key, full };
  Kind kind = Kind::none;
  Tuple tuple;
};

struct Begin {
  Lsn final_lsn = Lsn::invalid;
  int64_t commit_time_us = 0;
  uint32_t xid = 0;
};
struct Commit {
  Lsn commit_lsn = Lsn::invalid;
  Lsn end_lsn = Lsn::invalid;
  int64_t commit_time_us = 0;
};
struct Origin {
  Lsn commit_lsn = Lsn::invalid;
  std::string_view name;
};
struct Type {
  uint32_t oid = 0;
  std::string_view schema;
  std::string_view name;
};
struct Insert {
  uint32_t relation_oid = 0;
  Tuple new_row;
};
struct Update {
  uint32_t relation_oid = 0;
  OldRow old_row;
  Tuple new_row;
};
struct Delete {
  uint32_t relation_oid = 0;
  OldRow old_row;
};
struct Truncate {
  bool cascade = false;
  bool restart_identity = false;
  std::vector<uint32_t> relation_oids;
};
struct LogicalMessage {
  bool transactional = false;
  Lsn lsn = Lsn::invalid;
  std::string_view prefix;
  std::string_view content;
};

using Message = std::variant<Begin, Commit, Origin, Relation, Type, Insert, Update, Delete,
                             Truncate, LogicalMessage>;

// `payload` is the data of one XLogData frame, without the frame's own header.
// Throws Error(protocol).
Message decode(std::string_view payload);

}  // namespace repld::pgoutput
