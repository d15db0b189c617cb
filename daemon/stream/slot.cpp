#include "stream/slot.h"

#include <chrono>
#include <thread>

#include "core/sql_text.h"
#include "embedded_sql.h"

namespace repld::stream {

namespace {

constexpr int kReleaseTries = 100;
constexpr std::chrono::milliseconds kReleasePause{100};

constexpr const char* kInsufficientPrivilege = "42501";

Error in_use(const std::string& name, int pid) {
  Error error(ErrorKind::connect, fmt::format("replication slot \"{}\" stays in use", name));
  error.detail("backend {} of the source streams from it", pid).sqlstate("55006");
  return error.hint(
      "Another program uses the slot of this link: stop it, or let its owner run select "
      "pg_terminate_backend({}); repld goes on by itself.",
      pid);
}

}  // namespace

std::string drop_slot_statement(const std::string& name) {
  return fmt::format("select pg_drop_replication_slot({})", quote_literal(name));
}

Error foreign_slot(const std::string& name) {
  Error error(ErrorKind::refused,
              fmt::format("replication slot \"{}\" exists, but not for this target", name));
  return error.hint(
      "Choose another link.name, or drop the slot on the source if nothing uses it: {}; repld "
      "looks again every few seconds.",
      drop_slot_statement(name));
}

std::optional<Slot> read_slot(pg::Session& source, const std::string& name) {
  const auto rows = source.exec_params(std::string(sql::kSlot), name);
  if (rows.empty()) {
    return std::nullopt;
  }
  const auto row = rows[0];
  Slot slot;
  slot.plugin = row[0].is_null() ? "" : row[0].c_str();
  slot.active = row[1].as<bool>();
  slot.active_pid = row[2].as<int>();
  slot.confirmed = parse_lsn(row[3].c_str());
  slot.wal_status = row[4].c_str();
  if (!row[5].is_null()) {
    slot.safe_bytes = row[5].as<int64_t>();
  }
  slot.retained_bytes = row[6].as<int64_t>();
  slot.here = row[7].as<bool>();
  return slot;
}

void release_slot(pg::Session& source, const std::string& name) {
  for (int attempt = 0; attempt < kReleaseTries; ++attempt) {
    const std::optional<Slot> slot = read_slot(source, name);
    if (!slot || !slot->active) {
      return;
    }
    try {
      source.exec_params("select pg_terminate_backend($1)", slot->active_pid);
    } catch (const Error& error) {
      if (error.sqlstate() == kInsufficientPrivilege) {
        throw in_use(name, slot->active_pid);
      }
      throw;
    }
    std::this_thread::sleep_for(kReleasePause);
  }
  const std::optional<Slot> slot = read_slot(source, name);
  throw in_use(name, slot ? slot->active_pid : 0);
}

void drop_slot(pg::Session& source, const std::string& name) {
  release_slot(source, name);
  if (read_slot(source, name)) {
    source.exec_params("select pg_drop_replication_slot($1)", name);
  }
}

void require_streamable(const std::optional<Slot>& slot, const std::string& name, Lsn progress) {
  if (!slot) {
    throw Error(ErrorKind::slot_lost, fmt::format("replication slot \"{}\" is gone", name))
        .detail("the target is at {}", to_string(progress))
        .hint("{}", kCopyAgain);
  }
  if (slot->plugin != "pgoutput") {
    throw Error(ErrorKind::slot_lost,
                fmt::format("replication slot \"{}\" is not a pgoutput slot", name))
        .hint("{}", kCopyAgain);
  }
  if (slot->wal_status == "lost") {
    throw Error(ErrorKind::slot_lost, fmt::format("replication slot \"{}\" was invalidated", name))
        .detail("the source removed WAL that it kept for the slot (max_slot_wal_keep_size)")
        .hint("{}", kCopyAgain);
  }
  if (slot->confirmed > progress) {
    throw Error(ErrorKind::slot_lost,
                fmt::format("replication slot \"{}\" is ahead of the target", name))
        .detail(
            "the slot starts at {}, the target is at {}: the slot was made again or advanced, "
            "or the target went back to an older state",
            to_string(slot->confirmed), to_string(progress))
        .hint("{}", kCopyAgain);
  }
}

}  // namespace repld::stream
