#include "support/cluster_template.h"

#include <unistd.h>

#include <boost/crc.hpp>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <stdexcept>

#include "support/process.h"
#include "support/server_user.h"

namespace repld::testing {

namespace {

namespace fs = std::filesystem;

// Of the first page of a WAL segment: XLogLongPageHeaderData, PostgreSQL's xlog_internal.h.
constexpr size_t kIdentifierInSegment = 24;

uint32_t crc32c(const std::string& bytes, size_t length) {
  boost::crc_optimal<32, 0x1EDC6F41, 0xFFFFFFFF, 0xFFFFFFFF, true, true> crc;
  crc.process_bytes(bytes.data(), length);
  return crc.checksum();
}

// pg_control begins with the identifier and ends, behind what differs between versions, with a
// CRC-32C of all that (ControlFileData, PostgreSQL's pg_control.h).
size_t place_of_crc(const std::string& control) {
  for (size_t place = 200; place + sizeof(uint32_t) <= 512; place += sizeof(uint32_t)) {
    uint32_t stored = 0;
    std::memcpy(&stored, control.data() + place, sizeof stored);
    if (stored == crc32c(control, place)) {
      return place;
    }
  }
  throw std::runtime_error("pg_control has another form");
}

void write_at(const std::string& path, size_t place, const void* bytes, size_t length) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(static_cast<std::streamoff>(place));
  file.write(static_cast<const char*>(bytes), static_cast<std::streamsize>(length));
  if (!file.flush()) {
    throw std::runtime_error("cannot write " + path);
  }
}

void give_own_identifier(const std::string& data) {
  const std::string control_path = data + "/global/pg_control";
  std::string control = read_file(control_path);
  const size_t crc_place = place_of_crc(control);
  std::random_device random;
  const uint64_t identifier = (uint64_t{random() & 0x7FFFFFFF} << 32) | random();
  std::memcpy(control.data(), &identifier, sizeof identifier);
  const uint32_t crc = crc32c(control, crc_place);
  write_at(control_path, 0, &identifier, sizeof identifier);
  write_at(control_path, crc_place, &crc, sizeof crc);
  for (const auto& entry : fs::directory_iterator(data + "/pg_wal")) {
    if (entry.is_regular_file()) {
      write_at(entry.path(), kIdentifierInSegment, &identifier, sizeof identifier);
    }
  }
}

// Of these very binaries, so that no upgrade meets an older one.
std::string template_of(const std::string& binaries, const std::string& cache,
                        const std::string& superuser) {
  const fs::path server = binaries + "/postgres";
  const auto made = fs::last_write_time(server).time_since_epoch().count();
  return cache + "/clusters/" + superuser + "-" + std::to_string(fs::file_size(server)) + "-" +
         std::to_string(made);
}

}  // namespace

void create_cluster(const std::string& binaries, const std::string& cache,
                    const std::string& superuser, const std::string& data) {
  const std::string kept = template_of(binaries, cache, superuser);
  if (!fs::exists(kept)) {
    fs::create_directories(cache + "/clusters");
    hand_over(cache + "/clusters");
    std::string fresh = kept + ".XXXXXX";
    if (::mkdtemp(fresh.data()) == nullptr) {
      throw std::runtime_error("no temporary directory");
    }
    hand_over(fresh);
    must_run({binaries + "/initdb", "-D", fresh, "-U", superuser, "-A", "trust", "-E", "UTF8",
              "--locale=C.UTF-8", "--no-sync"});
    std::error_code beaten;  // another process made it meanwhile
    fs::rename(fresh, kept, beaten);
    if (beaten) {
      fs::remove_all(fresh);
    }
  }
  must_run({"cp", "-a", "--reflink=auto", kept, data});
  give_own_identifier(data);
}

}  // namespace repld::testing
