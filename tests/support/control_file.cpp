#include "support/control_file.h"

#include <fmt/format.h>

#include <boost/crc.hpp>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "support/process.h"
#include "support/server_user.h"

namespace repld::testing {

namespace {

namespace fs = std::filesystem;

// ControlFileData and CheckPoint, PostgreSQL's pg_control.h.
constexpr size_t kCheckPointLsn = 32;
constexpr size_t kCheckPoint = 40;
constexpr size_t kTimeline = 8;  // in a CheckPoint, as the next two
constexpr size_t kNextXid = 24;
constexpr size_t kOldestXid = 44;
// XLogRecord, xlogrecord.h: the header ends with a CRC; then two bytes, then the CheckPoint.
constexpr size_t kRecordCrc = 20;
constexpr size_t kRecordHeader = 24;
constexpr size_t kRecordContent = 26;
constexpr char kShortContent = '\xFF';
// Of the first page of a WAL segment: XLogLongPageHeaderData, xlog_internal.h.
constexpr size_t kIdentifierInSegment = 24;
constexpr uint64_t kSegmentBytes = 16 << 20;
constexpr size_t kPageBytes = 8192;
// clog.c and slru.c: two bits a transaction, 32 pages a file.
constexpr size_t kStatusFileBytes = 32 * kPageBytes;

using Crc = boost::crc_optimal<32, 0x1EDC6F41, 0xFFFFFFFF, 0xFFFFFFFF, true, true>;

uint32_t crc32c(const std::string& bytes, size_t length) {
  Crc crc;
  crc.process_bytes(bytes.data(), length);
  return crc.checksum();
}

template <typename Number>
Number number_at(const std::string& bytes, size_t place) {
  Number number = 0;
  std::memcpy(&number, bytes.data() + place, sizeof number);
  return number;
}

template <typename Number>
void put(std::string& bytes, size_t place, Number number) {
  std::memcpy(bytes.data() + place, &number, sizeof number);
}

void write_at(const std::string& path, size_t place, const std::string& bytes) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(static_cast<std::streamoff>(place));
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (!file.flush()) {
    throw std::runtime_error("cannot write " + path);
  }
}

std::string control_path(const std::string& data) { return data + "/global/pg_control"; }

// pg_control ends, behind what differs between versions, with a CRC-32C of all that.
size_t place_of_crc(const std::string& control) {
  for (size_t place = 200; place + sizeof(uint32_t) <= 512; place += sizeof(uint32_t)) {
    if (number_at<uint32_t>(control, place) == crc32c(control, place)) {
      return place;
    }
  }
  throw std::runtime_error("pg_control has another form");
}

void write_control(const std::string& data, std::string control, size_t crc_place) {
  put(control, crc_place, crc32c(control, crc_place));
  write_at(control_path(data), 0, control);
}

void set_xids(std::string& bytes, size_t check_point, uint32_t xid) {
  const auto next = number_at<uint64_t>(bytes, check_point + kNextXid);
  const auto oldest = number_at<uint32_t>(bytes, check_point + kOldestXid);
  if (oldest < 3 || next < oldest || next > 1'000'000) {
    throw std::runtime_error("no checkpoint of a fresh server");
  }
  put(bytes, check_point + kNextXid, uint64_t{xid});
  put(bytes, check_point + kOldestXid, xid);
}

// The server starts from the record, not from its copy in pg_control.
void set_xids_in_wal(const std::string& data, const std::string& control, uint32_t xid) {
  const auto lsn = number_at<uint64_t>(control, kCheckPointLsn);
  const auto timeline = number_at<uint32_t>(control, kCheckPoint + kTimeline);
  const uint64_t segment = lsn / kSegmentBytes;
  const std::string path =
      fmt::format("{}/pg_wal/{:08X}{:08X}{:08X}", data, timeline, segment / 0x100, segment % 0x100);
  const std::string wal = read_file(path);
  const size_t place = lsn % kSegmentBytes;
  if (wal.size() != kSegmentBytes) {
    throw std::runtime_error("no WAL segment " + path);
  }
  const auto length = number_at<uint32_t>(wal, place);
  if (place % kPageBytes + length > kPageBytes || wal[place + kRecordHeader] != kShortContent) {
    throw std::runtime_error("a checkpoint in another form, or across pages");
  }
  std::string record = wal.substr(place, length);
  set_xids(record, kRecordContent, xid);
  Crc crc;
  crc.process_bytes(record.data() + kRecordHeader, length - kRecordHeader);
  crc.process_bytes(record.data(), kRecordCrc);
  put(record, kRecordCrc, static_cast<uint32_t>(crc.checksum()));
  write_at(path, place, record);
}

}  // namespace

void set_system_identifier(const std::string& data, uint64_t identifier) {
  std::string control = read_file(control_path(data));
  const size_t crc_place = place_of_crc(control);
  put(control, 0, identifier);
  write_control(data, control, crc_place);
  std::string bytes(sizeof identifier, '\0');
  put(bytes, 0, identifier);
  for (const auto& entry : fs::directory_iterator(data + "/pg_wal")) {
    if (entry.is_regular_file()) {
      write_at(entry.path(), kIdentifierInSegment, bytes);
    }
  }
}

void set_next_xid(const std::string& data, uint32_t xid) {
  std::string control = read_file(control_path(data));
  const size_t crc_place = place_of_crc(control);
  set_xids_in_wal(data, control, xid);
  set_xids(control, kCheckPoint, xid);
  write_control(data, control, crc_place);
  write_server_file(fmt::format("{}/pg_xact/{:04X}", data, xid / (4 * kStatusFileBytes)),
                    std::string(kStatusFileBytes, '\0'));
}

}  // namespace repld::testing
