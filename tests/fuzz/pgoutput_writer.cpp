#include "fuzz/pgoutput_writer.h"

#include "unit/wire_bytes.h"

namespace repld::fuzz {

namespace {

using repld::testing::WireBytes;

int64_t number(Lsn lsn) { return static_cast<int64_t>(lsn); }
int32_t number(uint32_t oid) { return static_cast<int32_t>(oid); }

class Writer {
 public:
  explicit Writer(bool bare) : bare_(bare) {}

  void operator()(const pgoutput::Begin& m) {
    out_.tag('B').int64(number(m.final_lsn)).int64(m.commit_time_us).int32(number(m.xid));
  }
  void operator()(const pgoutput::Commit& m) {
    out_.tag('C').int8(0).int64(number(m.commit_lsn)).int64(number(m.end_lsn));
    out_.int64(m.commit_time_us);
  }
  void operator()(const pgoutput::Origin& m) {
    out_.tag('O').int64(number(m.commit_lsn)).string(m.name);
  }
  void operator()(const Relation& m) {
    out_.tag('R').int32(number(m.oid)).string(schema(m.schema)).string(m.name);
    out_.tag(static_cast<char>(m.identity)).int16(static_cast<int16_t>(m.columns.size()));
    for (const RelationColumn& column : m.columns) {
      out_.int8(column.key ? 1 : 0).string(column.name).int32(number(column.type_oid));
      out_.int32(column.type_modifier);
    }
  }
  void operator()(const pgoutput::Type& m) {
    out_.tag('Y').int32(number(m.oid)).string(schema(m.schema)).string(m.name);
  }
  void operator()(const pgoutput::Insert& m) {
    out_.tag('I').int32(number(m.relation_oid));
    new_row(m.new_row);
  }
  void operator()(const pgoutput::Update& m) {
    out_.tag('U').int32(number(m.relation_oid));
    old_row(m.old_row);
    new_row(m.new_row);
  }
  void operator()(const pgoutput::Delete& m) {
    out_.tag('D').int32(number(m.relation_oid));
    old_row(m.old_row);
  }
  void operator()(const pgoutput::Truncate& m) {
    out_.tag('T').int32(static_cast<int32_t>(m.relation_oids.size()));
    out_.int8(static_cast<uint8_t>((m.cascade ? 1 : 0) | (m.restart_identity ? 2 : 0)));
    for (const uint32_t oid : m.relation_oids) {
      out_.int32(number(oid));
    }
  }
  void operator()(const pgoutput::LogicalMessage& m) {
    out_.tag('M').int8(m.transactional ? 1 : 0).int64(number(m.lsn)).string(m.prefix);
    out_.int32(static_cast<int32_t>(m.content.size())).raw(m.content);
  }

  const std::string& str() const { return out_.str(); }

 private:
  std::string_view schema(std::string_view name) const {
    return bare_ && name == "pg_catalog" ? std::string_view() : name;
  }
  void old_row(const pgoutput::OldRow& row) {
    if (row.kind != pgoutput::OldRow::Kind::none) {
      out_.tag(row.kind == pgoutput::OldRow::Kind::key ? 'K' : 'O');
      tuple(row.tuple);
    }
  }
  void new_row(const pgoutput::Tuple& row) {
    out_.tag('N');
    tuple(row);
  }
  void tuple(const pgoutput::Tuple& row) {
    out_.int16(static_cast<int16_t>(row.size()));
    for (const pgoutput::Column& column : row) {
      switch (column.kind) {
        case Value::Kind::null: out_.null(); break;
        case Value::Kind::unchanged: out_.unchanged(); break;
        case Value::Kind::text: out_.text(column.text); break;
      }
    }
  }

  WireBytes out_;
  const bool bare_;
};

}  // namespace

std::string write_message(const pgoutput::Message& message, bool bare) {
  Writer writer(bare);
  std::visit(writer, message);
  return writer.str();
}

}  // namespace repld::fuzz
