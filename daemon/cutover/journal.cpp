#include "cutover/journal.h"

#include <nlohmann/json.hpp>

namespace repld::cutover {

namespace {

using Json = nlohmann::json;

constexpr int kLookWaitMs = 5000;

Json json_of(const std::vector<TableName>& tables) {
  Json json = Json::array();
  for (const TableName& table : tables) {
    json.push_back({table.schema, table.name});
  }
  return json;
}

std::vector<TableName> tables_of(const std::string& text) {
  std::vector<TableName> tables;
  const Json json = Json::parse(text);
  for (const Json& table : json) {
    tables.push_back({table.at(0).get<std::string>(), table.at(1).get<std::string>()});
  }
  return tables;
}

bool exists(pg::Session& session, const char* table) {
  return !session.exec_params("select to_regclass($1)", table)[0][0].is_null();
}

}  // namespace

void note_begun(pg::Session& session, const Course& course, Side now) {
  session.transact([&](pqxx::transaction_base& transaction) {
    link::ensure_route(transaction, course.link, course.group, now);
    transaction.exec_params(
        "insert into repld.cutover (id, link, group_name, to_side, generation, state, tables, "
        "reverse, max_freeze_ms) values ($1, $2, $3, $4, $5, 'begun', $6, $7, $8)",
        course.id, course.link, course.group, to_string(course.to), course.generation,
        json_of(course.tables).dump(), course.reverse, course.max_freeze_ms);
  });
}

std::vector<Course> unfinished(pg::Session& session, const std::string& link) {
  std::vector<Course> courses;
  if (!exists(session, "repld.cutover")) {
    return courses;
  }
  for (const auto& row : session.exec_params(
           "select id, group_name, to_side = 'target', generation, tables, reverse, max_freeze_ms "
           "from repld.cutover where link = $1 and state in ('begun', 'committed') order by "
           "begun_at",
           link)) {
    Course course;
    course.id = row[0].c_str();
    course.link = link;
    course.group = row[1].c_str();
    course.to = row[2].as<bool>() ? Side::target : Side::source;
    course.generation = row[3].as<int64_t>();
    course.tables = tables_of(row[4].c_str());
    course.reverse = row[5].as<bool>();
    course.max_freeze_ms = row[6].as<int64_t>();
    courses.push_back(std::move(course));
  }
  return courses;
}

JournalState locked_state(pqxx::transaction_base& transaction, const std::string& id) {
  const auto rows =
      transaction.exec_params("select state from repld.cutover where id = $1 for update", id);
  return rows.empty() ? JournalState::absent : parse_journal_state(rows[0][0].c_str());
}

JournalState settled_state(const pg::Server& server, const std::string& id) {
  pg::Session session(server);
  if (!exists(session, "repld.cutover")) {
    return JournalState::absent;
  }
  return session.transact([&](pqxx::transaction_base& transaction) {
    transaction.exec(fmt::format("set local lock_timeout = {}", kLookWaitMs));
    return locked_state(transaction, id);
  });
}

void move_state(pqxx::transaction_base& transaction, const std::string& id, JournalState from,
                JournalState to) {
  const JournalState state = locked_state(transaction, id);
  if (state == to || state == JournalState::absent) {
    return;
  }
  if (state != from) {
    throw Error(ErrorKind::internal, "a cutover is not where it should be")
        .detail("repld.cutover says {}, {} was to become {}", to_string(state), to_string(from),
                to_string(to));
  }
  transaction.exec_params(
      "update repld.cutover set state = $2, changed_at = clock_timestamp() where id = $1", id,
      to_string(to));
}

link::Routes routes_of(pg::Session& session, const std::string& link) {
  if (!exists(session, "repld.route")) {
    return {};
  }
  return session.transact([&](pqxx::transaction_base& transaction) {
    return link::read_routes(transaction, link, link::Rows::free);
  });
}

}  // namespace repld::cutover
