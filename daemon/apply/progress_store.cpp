#include "apply/progress_store.h"

#include <chrono>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <thread>

#include "embedded_sql.h"

namespace repld::apply {

namespace {

constexpr std::chrono::milliseconds kLockPause{200};

// Who holds the lock, and whether the row says that it is a session of the given installation.
constexpr const char* kHolder =
    "select l.pid, coalesce(p.owner_pid = l.pid and p.owner_instance = $2, false), "
    "       coalesce(a.client_addr::text, 'a local socket') "
    "  from pg_locks l "
    "  left join pg_stat_activity a on a.pid = l.pid "
    "  left join repld.progress p on p.link = $1 "
    " cross join (select hashtextextended('repld:' || $1, 0) as k) key "
    " where l.locktype = 'advisory' and l.granted and l.objsubid = 1 "
    "   and l.database = (select oid from pg_database where datname = current_database()) "
    "   and ((l.classid::bigint << 32) | l.objid::bigint) = key.k";

constexpr const char* kClaim =
    "update repld.progress set owner = gen_random_uuid(), owner_pid = pg_backend_pid(), "
    "owner_instance = $2 where link = $1";

constexpr const char* kRead =
    "select slot_name, system_identifier, timeline, database, phase, lsn, owner, guard_nonce, "
    "paused, extract(epoch from clock_timestamp() - updated_at), "
    "coalesce(publications::text, ''), coalesce(slot_maker, '') "
    "from repld.progress where link = $1";

Error another_owner() { return {ErrorKind::connect, "another session owns the link now"}; }

}  // namespace

std::string require_owner(pg::Connection& connection, const std::string& link,
                          const std::string& owner) {
  const auto row = connection.exec(std::string(sql::kLockAsOwner), {link, owner});
  if (PQntuples(row.get()) != 1) {
    throw another_owner();
  }
  return pg::text(row, 0, 0);
}

std::string require_owner(pqxx::transaction_base& transaction, const std::string& link,
                          const std::string& owner) {
  const auto rows = transaction.exec_params(std::string(sql::kLockAsOwner), link, owner);
  if (rows.empty()) {
    throw another_owner();
  }
  return rows[0][0].c_str();
}

bool ProgressStore::lock(const std::string& instance, const std::stop_token& stop,
                         const std::function<void(const std::string&)>& waiting) {
  bool told = false;
  while (!stop.stop_requested()) {
    const auto got = connection_.exec(
        "select pg_try_advisory_lock(hashtextextended('repld:' || $1, 0))", {link_});
    if (pg::text(got, 0, 0) == "t") {
      return true;
    }
    const auto holder = connection_.exec(kHolder, {link_, instance});
    if (PQntuples(holder.get()) > 0) {
      const std::string pid = pg::text(holder, 0, 0);
      if (pg::text(holder, 0, 1) == "t") {
        connection_.exec("select pg_terminate_backend($1::int)", {pid});
      } else if (!told) {
        told = true;
        waiting(fmt::format("link \"{}\" is owned by another daemon, backend {} from {}", link_,
                            pid, pg::text(holder, 0, 2)));
      }
    }
    std::this_thread::sleep_for(kLockPause);
  }
  return false;
}

void ProgressStore::run_durably(const std::string& sql,
                                std::initializer_list<std::string> parameters) {
  connection_.exec("begin");
  connection_.exec("set local synchronous_commit = on");
  connection_.exec(sql, parameters);
  connection_.exec("commit");
}

std::optional<ProgressRow> ProgressStore::claim(const std::string& instance) {
  run_durably(kClaim, {link_, instance});
  const auto result = connection_.exec(kRead, {link_});
  if (PQntuples(result.get()) == 0) {
    return std::nullopt;
  }
  ProgressRow row;
  row.slot_name = pg::text(result, 0, 0);
  row.system_identifier = pg::text(result, 0, 1);
  row.timeline = std::atoi(pg::text(result, 0, 2).c_str());
  row.database = pg::text(result, 0, 3);
  row.phase = pg::text(result, 0, 4) == "streaming" ? Phase::streaming : Phase::setup;
  row.lsn = parse_lsn(pg::text(result, 0, 5));
  row.owner = pg::text(result, 0, 6);
  row.guard_nonce = pg::text(result, 0, 7);
  row.paused = pg::text(result, 0, 8) == "t";
  row.age_seconds = std::atof(pg::text(result, 0, 9).c_str());
  row.slot_maker = pg::text(result, 0, 11);
  if (const std::string names = pg::text(result, 0, 10); !names.empty()) {
    row.publications = nlohmann::json::parse(names).get<std::vector<std::string>>();
  }
  return row;
}

ProgressRow ProgressStore::create(const std::string& instance, const std::string& slot_name,
                                  const pg::SystemIdentity& source,
                                  const std::optional<std::vector<std::string>>& publications) {
  run_durably(
      "insert into repld.progress (link, slot_name, system_identifier, timeline, database, phase, "
      "lsn, owner, owner_pid, owner_instance, guard_nonce, publications) values ($1, $2, $3, $4, "
      "$5, 'setup', '0/0', gen_random_uuid(), pg_backend_pid(), $6, gen_random_uuid()::text, "
      "nullif($7, '')::jsonb) "
      "on conflict (link) do update set slot_name = excluded.slot_name, "
      "system_identifier = excluded.system_identifier, timeline = excluded.timeline, "
      "database = excluded.database, lsn = excluded.lsn, publications = excluded.publications, "
      "slot_maker = null",
      {link_, slot_name, source.system_identifier, std::to_string(source.timeline), source.database,
       instance, publications ? nlohmann::json(*publications).dump() : std::string()});
  return *claim(instance);
}

void ProgressStore::note_slot_maker(const std::string& backend) {
  run_durably("update repld.progress set slot_maker = $2 where link = $1 and phase = 'setup'",
              {link_, backend});
}

void ProgressStore::note_slot(Lsn lsn) {
  run_durably("update repld.progress set lsn = $2::pg_lsn where link = $1 and phase = 'setup'",
              {link_, to_string(lsn)});
}

void ProgressStore::begin_streaming(Lsn lsn) {
  run_durably("update repld.progress set phase = 'streaming', lsn = $2::pg_lsn where link = $1",
              {link_, to_string(lsn)});
}

}  // namespace repld::apply
