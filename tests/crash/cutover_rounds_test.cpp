// Rounds of cutover and rollback with applications at work, which retry where a write is refused
// and note what was acknowledged.
//
//   REPLD_CUTOVER_ROUNDS=50   there and back so many times; 5 without it
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <optional>
#include <set>
#include <thread>

#include "support/pair.h"

using namespace repld::testing;

namespace {

using Clock = std::chrono::steady_clock;

constexpr int kWriters = 8;
constexpr auto kBetweenWrites = 40ms;  // together about 200 a second
// anon, authenticated and service_role of Supabase.
constexpr const char* kTimeouts[] = {"3s", "8s", "0"};

int rounds() {
  const char* given = std::getenv("REPLD_CUTOVER_ROUNDS");
  return given == nullptr ? 5 : std::atoi(given);
}

struct Noted {
  std::set<std::string> acknowledged;
  std::vector<std::string> unexpected;
  double longest_wait = 0;  // from the first try to the acknowledgement
  int64_t refused = 0;
};

// One application: writes to where it is told that the tables live.
class Writer {
 public:
  Writer(const Pair& pair, int number)
      : pair_(pair), number_(number), thread_([this](const std::stop_token& stop) { run(stop); }) {}

  void stop() {
    thread_.request_stop();
    thread_.join();
  }
  const Noted& noted() const { return noted_; }

 private:
  void run(const std::stop_token& stop);
  void write(pqxx::connection& connection);
  std::string primary_dsn() const {
    const auto told = nlohmann::json::parse(read_file(pair_.daemon.directory() + "/primary.json"),
                                            nullptr, false);
    const bool target = told.is_object() && told.value("all", "") == "target";
    return target ? pair_.target.dsn : pair_.source.dsn;
  }

  const Pair& pair_;
  const int number_;
  int64_t written_ = 0;
  std::optional<Clock::time_point> first_tried_;  // of what is not acknowledged yet
  Noted noted_;
  std::jthread thread_;
};

void Writer::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    try {
      pqxx::connection connection(primary_dsn());
      pqxx::nontransaction(connection)
          .exec(fmt::format("set statement_timeout = '{}'; set search_path = public",
                            kTimeouts[number_ % 3]));
      while (!stop.stop_requested()) {
        write(connection);
        std::this_thread::sleep_for(kBetweenWrites);
      }
    } catch (const pqxx::sql_error& failure) {
      const std::string sqlstate = repld::pg::sqlstate_of(failure);
      if (sqlstate == "25006") {
        ++noted_.refused;
        std::this_thread::sleep_for(5ms);
      } else {
        noted_.unexpected.push_back(sqlstate + " " + failure.what());
      }
    } catch (const std::exception& failure) {
      noted_.unexpected.emplace_back(failure.what());
    }
  }
}

// An order with its lines in one transaction; now and then an older one changes.
void Writer::write(pqxx::connection& connection) {
  const std::string body = fmt::format("writer {} order {}", number_, written_++);
  first_tried_ = first_tried_.value_or(Clock::now());
  pqxx::work work(connection);
  const auto id =
      work.exec_params("insert into orders (body) values ($1) returning id", body)[0][0];
  work.exec_params("insert into lines (order_id, n) select $1, generate_series(1, 3)",
                   id.as<int64_t>());
  work.exec_params("insert into notes (body) values ($1)", body);
  if (written_ % 5 == 0) {
    work.exec_params("update orders set changed = changed + 1 where id = $1 - 20",
                     id.as<int64_t>());
  }
  work.commit();
  noted_.acknowledged.insert(body);
  const std::chrono::duration<double> waited = Clock::now() - *first_tried_;
  noted_.longest_wait = std::max(noted_.longest_wait, waited.count());
  first_tried_.reset();
}

PairOptions options_of(int source_version) {
  PairOptions options;
  options.source_version = source_version;
  options.target_variant = TimewebVariant::C;
  options.source_settings = {{"autovacuum_naptime", "1s"}};
  options.target_settings = {{"autovacuum_naptime", "1s"}};
  return options;
}

double move(const Pair& pair, const std::string& verb) {
  const Outcome outcome = pair.daemon.replctl({"--json", verb, "--yes"});
  REQUIRE_MESSAGE(outcome.exit_code == 0, verb << ": " << outcome.out << outcome.err);
  return nlohmann::json::parse(outcome.out)["freeze_seconds"].get<double>();
}

void check_rows(const Pair& pair, const Platform& side, const std::set<std::string>& acknowledged) {
  std::multiset<std::string> found;
  for (const auto& row : Pair::run_sql(side.dsn, "select body from orders")) {
    found.insert(row[0].c_str());
  }
  size_t lost = 0;
  for (const std::string& body : acknowledged) {
    lost += found.count(body) == 1 ? 0U : 1U;
  }
  CHECK_MESSAGE(lost == 0, lost << " of " << acknowledged.size() << " acknowledged rows");
  CHECK(pair.count(side.dsn, "public.lines") == 3 * static_cast<int64_t>(found.size()));
}

void there_and_back(int source_version) {
  Pair pair(options_of(source_version));
  pair.on_both(
      "create table orders (id bigserial primary key, body text unique, changed int default 0) "
      "with (autovacuum_vacuum_threshold = 20, autovacuum_vacuum_scale_factor = 0, "
      "autovacuum_analyze_threshold = 20); create table lines (order_id bigint references orders, "
      "n int, primary key (order_id, n)); create table notes (id bigserial primary key, body "
      "text)");
  REQUIRE(pair.begin());
  REQUIRE(pair.daemon.replctl({"verify"}).exit_code == 0);
  // Of a table without foreign keys: those are set aside only once no reader is left.
  pqxx::connection reader(pair.source.dsn);
  pqxx::work reading(reader);
  reading.exec("select count(*) from public.notes");
  pqxx::connection other_reader(pair.target.dsn);
  pqxx::work other_reading(other_reader);
  other_reading.exec("select count(*) from public.notes");
  std::vector<std::unique_ptr<Writer>> writers;
  for (int i = 0; i < kWriters; ++i) {
    writers.push_back(std::make_unique<Writer>(pair, i));
  }
  std::vector<double> freezes;
  for (int i = 0; i < rounds(); ++i) {
    CAPTURE(i);
    freezes.push_back(move(pair, "cutover"));
    freezes.push_back(move(pair, "rollback"));
  }
  std::set<std::string> acknowledged;
  double longest = 0;
  int64_t refused = 0;
  for (const auto& writer : writers) {
    writer->stop();
    const Noted& noted = writer->noted();
    acknowledged.insert(noted.acknowledged.begin(), noted.acknowledged.end());
    longest = std::max(longest, noted.longest_wait);
    refused += noted.refused;
    CHECK_MESSAGE(noted.unexpected.empty(), noted.unexpected.front());
  }
  CHECK(acknowledged.size() > static_cast<size_t>(rounds()));
  CHECK(pair.caught_up());
  const std::string unequal = pair.difference({"public.orders", "public.lines", "public.notes"});
  CHECK_MESSAGE(unequal.empty(), unequal);
  check_rows(pair, pair.source, acknowledged);
  check_rows(pair, pair.target, acknowledged);
  std::sort(freezes.begin(), freezes.end());
  fmt::print(
      "PostgreSQL {} and {}: {} moves, {} rows acknowledged, {} writes refused; frozen p50 "
      "{:.0f} ms, max {:.0f} ms; longest wait of a writer {:.0f} ms\n",
      pair.source.cluster->version(), pair.target.cluster->version(), freezes.size(),
      acknowledged.size(), refused, freezes[freezes.size() / 2] * 1e3, freezes.back() * 1e3,
      longest * 1e3);
}

}  // namespace

TEST_SUITE("cutover_rounds") {
  TEST_CASE("there and back under writers: every acknowledged write once, on both sides, from 15") {
    there_and_back(15);
  }

  TEST_CASE("there and back under writers: every acknowledged write once, on both sides, from 17") {
    there_and_back(17);
  }
}
