#include "core/pgoutput.h"

#include "core/byte_reader.h"

namespace repld::pgoutput {

namespace {

constexpr size_t kColumnBytesMin = 1;           // its kind
constexpr size_t kRelationColumnBytesMin = 10;  // flags, empty name, type, modifier

std::string_view read_schema(ByteReader& in) {
  const std::string_view schema = in.string();
  return schema.empty() ? "pg_catalog" : schema;
}

Column read_column(ByteReader& in) {
  switch (in.byte()) {
    case 'n': return {Value::Kind::null, {}};
    case 'u': return {Value::Kind::unchanged, {}};
    case 't': return {Value::Kind::text, in.bytes(in.count32(1))};
    default: in.fail("a column is neither null, unchanged nor text");
  }
}

Tuple read_tuple(ByteReader& in) {
  const size_t count = in.count16(kColumnBytesMin);
  Tuple tuple;
  tuple.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    tuple.push_back(read_column(in));
  }
  return tuple;
}

OldRow read_old_row(ByteReader& in, char tag) {
  switch (tag) {
    case 'K': return {OldRow::Kind::key, read_tuple(in)};
    case 'O': return {OldRow::Kind::full, read_tuple(in)};
    default: in.fail("wrong tag before a row");
  }
}

Tuple read_new_row(ByteReader& in, char tag) {
  if (tag != 'N') {
    in.fail("wrong tag before a row");
  }
  return read_tuple(in);
}

ReplicaIdentity read_identity(ByteReader& in) {
  switch (in.byte()) {
    case 'd': return ReplicaIdentity::by_default;
    case 'n': return ReplicaIdentity::nothing;
    case 'f': return ReplicaIdentity::full;
    case 'i': return ReplicaIdentity::index;
    default: in.fail("unknown replica identity");
  }
}

// Members of a braced list are read in the order in which they are written.

Begin read_begin(ByteReader& in) { return {in.lsn(), in.int64(), in.uint32()}; }

Commit read_commit(ByteReader& in) {
  if (in.uint8() != 0) {
    in.fail("unknown flags");
  }
  return {in.lsn(), in.lsn(), in.int64()};
}

Origin read_origin(ByteReader& in) { return {in.lsn(), in.string()}; }

Type read_type(ByteReader& in) { return {in.uint32(), read_schema(in), in.string()}; }

Relation read_relation(ByteReader& in) {
  Relation relation;
  relation.oid = in.uint32();
  relation.schema = read_schema(in);
  relation.name = in.string();
  relation.identity = read_identity(in);
  const size_t count = in.count16(kRelationColumnBytesMin);
  relation.columns.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    RelationColumn column;
    column.key = in.flag();
    column.name = in.string();
    column.type_oid = in.uint32();
    column.type_modifier = in.int32();
    relation.columns.push_back(std::move(column));
  }
  return relation;
}

Insert read_insert(ByteReader& in) { return {in.uint32(), read_new_row(in, in.byte())}; }

Update read_update(ByteReader& in) {
  Update update;
  update.relation_oid = in.uint32();
  char tag = in.byte();
  if (tag != 'N') {
    update.old_row = read_old_row(in, tag);
    tag = in.byte();
  }
  update.new_row = read_new_row(in, tag);
  return update;
}

Delete read_delete(ByteReader& in) { return {in.uint32(), read_old_row(in, in.byte())}; }

Truncate read_truncate(ByteReader& in) {
  constexpr uint8_t kCascade = 1;
  constexpr uint8_t kRestartIdentity = 2;
  const size_t count = in.count32(sizeof(uint32_t));
  if (count == 0) {
    in.fail("no relation is named");
  }
  const uint8_t flags = in.uint8();
  if (flags > (kCascade | kRestartIdentity)) {
    in.fail("unknown flags");
  }
  Truncate truncate;
  truncate.cascade = (flags & kCascade) != 0;
  truncate.restart_identity = (flags & kRestartIdentity) != 0;
  truncate.relation_oids.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    truncate.relation_oids.push_back(in.uint32());
  }
  return truncate;
}

LogicalMessage read_logical_message(ByteReader& in) {
  return {in.flag(), in.lsn(), in.string(), in.bytes(in.count32(1))};
}

template <typename Read>
Message read_whole(std::string_view body, const char* what, Read read) {
  ByteReader in(body, what);
  Message message = read(in);
  in.expect_end();
  return message;
}

}  // namespace

Message decode(std::string_view payload) {
  if (payload.empty()) {
    throw Error(ErrorKind::protocol, "empty pgoutput message");
  }
  const std::string_view body = payload.substr(1);
  switch (payload.front()) {
    case 'B': return read_whole(body, "Begin message", read_begin);
    case 'C': return read_whole(body, "Commit message", read_commit);
    case 'O': return read_whole(body, "Origin message", read_origin);
    case 'R': return read_whole(body, "Relation message", read_relation);
    case 'Y': return read_whole(body, "Type message", read_type);
    case 'I': return read_whole(body, "Insert message", read_insert);
    case 'U': return read_whole(body, "Update message", read_update);
    case 'D': return read_whole(body, "Delete message", read_delete);
    case 'T': return read_whole(body, "Truncate message", read_truncate);
    case 'M': return read_whole(body, "logical decoding message", read_logical_message);
    default: break;
  }
  throw Error(ErrorKind::protocol, "pgoutput message of unknown type")
      .detail("type byte 0x{:02x}", static_cast<unsigned char>(payload.front()));
}

}  // namespace repld::pgoutput
