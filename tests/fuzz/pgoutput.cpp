#include "core/pgoutput.h"

#include <algorithm>
#include <stdexcept>

#include "core/byte_reader.h"
#include "core/transaction.h"
#include "fuzz/pgoutput_writer.h"
#include "fuzz/targets.h"

namespace repld::fuzz {

namespace {

void require(bool condition, const char* what) {
  if (!condition) {
    throw std::logic_error(what);
  }
}

void check_values(const TransactionPart& part, size_t first, size_t count) {
  require(first <= part.values.size() && count <= part.values.size() - first,
          "a row lies outside the values of its part");
  for (size_t i = first; i < first + count; ++i) {
    const Value& value = part.values[i];
    if (value.kind == Value::Kind::text) {
      require(value.offset < part.arena.size() && value.length < part.arena.size() - value.offset,
              "a value lies outside the arena");
      const auto begin = part.arena.begin() + static_cast<std::ptrdiff_t>(value.offset);
      require(std::find(begin, part.arena.end(), '\0') - begin ==
                  static_cast<std::ptrdiff_t>(value.length),
              "a value does not end with the only zero byte behind it");
    }
  }
}

void check_change(const TransactionPart& part, const Change& change) {
  if (change.kind == ChangeKind::truncate) {
    require(change.truncate < part.truncates.size(), "a truncate lies outside its part");
    for (const RelationPtr& relation : part.truncates[change.truncate].relations) {
      require(relation != nullptr, "a truncated relation is missing");
    }
    return;
  }
  require(change.relation != nullptr, "a change has no relation");
  const size_t columns = change.relation->columns.size();
  if (change.old_tuple != OldTuple::none) {
    check_values(part, change.old_first, columns);
  }
  require(change.kind == ChangeKind::remove || change.kind == ChangeKind::insert ||
              change.kind == ChangeKind::update,
          "a change is of no kind");
  require(change.kind != ChangeKind::remove || change.old_tuple != OldTuple::none,
          "a delete has no old row");
  if (change.kind != ChangeKind::remove) {
    check_values(part, change.new_first, columns);
  }
}

// What a stream must look like from outside, part by part.
class Observer {
 public:
  explicit Observer(Lsn resume_after) : resume_after_(resume_after) {}

  void see(const TransactionPart& part, const TransactionAssembler& assembler) {
    require(part.first == !inside_, "the first part of a transaction is not marked as such");
    require(part.last == !assembler.in_transaction(), "a last part leaves before its commit");
    require(!part.last || part.end_lsn > part.commit_lsn, "a transaction ends where it starts");
    require(part.commit_lsn >= resume_after_, "a transaction is sent that is durable already");
    require(part.last || !part.marker, "a part that is not the last carries a marker");
    for (const Change& change : part.changes) {
      check_change(part, change);
    }
    inside_ = !part.last;
  }

 private:
  const Lsn resume_after_;
  bool inside_ = false;
};

pgoutput::Message decode_checked(std::string_view bytes) {
  pgoutput::Message message = pgoutput::decode(bytes);
  require(write_message(message, false) == bytes || write_message(message, true) == bytes,
          "a message is not what was read from it");
  return message;
}

void run_stream(ByteReader& in) {
  const size_t part_bytes_max = size_t{1} << (in.uint8() % 16);
  const Lsn resume_after{in.uint8() * uint64_t{16}};
  TransactionAssembler assembler(resume_after, part_bytes_max);
  Observer observer(resume_after);
  for (;;) {
    const size_t count = in.count16(1);
    if (count == 0) {
      break;
    }
    if (const auto part = assembler.push(decode_checked(in.bytes(count)))) {
      observer.see(*part, assembler);
    }
  }
}

}  // namespace

bool run_pgoutput(std::string_view bytes) {
  try {
    // An end of its own, so that the stream can be cut anywhere.
    const std::string ended = std::string(bytes) + std::string(2, '\0');
    ByteReader in(ended, "fuzz input");
    run_stream(in);
    return true;
  } catch (const Error& error) {
    require(error.kind() == ErrorKind::protocol,
            "bytes of a server gave another error than protocol");
    return false;
  }
}

}  // namespace repld::fuzz
