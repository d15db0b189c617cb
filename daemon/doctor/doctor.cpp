#include "doctor/doctor.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "core/cost_checks.h"
#include "core/direction.h"
#include "core/publishing.h"
#include "core/schema_compare.h"
#include "core/schema_portable.h"
#include "core/server_checks.h"
#include "core/sql_text.h"
#include "core/supply_checks.h"
#include "core/table_checks.h"
#include "core/table_groups.h"
#include "doctor/facts_reader.h"
#include "doctor/names.h"
#include "doctor/schema_reader.h"
#include "doctor/sizes.h"
#include "pg/catalog.h"
#include "stream/existing_publications.h"

namespace repld::doctor {

namespace {

constexpr int64_t kMeasuredBytesMax = int64_t{1} << 30;
// For a table that somebody has locked as a whole, who may keep it for ever: what needs it is told
// as unknown.
constexpr const char* kWaitForLocks = "set lock_timeout = '5s'";
constexpr const char* kRunAgain =
    "Run doctor again once the transaction that holds the lock has ended; pg_locks shows whose it "
    "is.";

bool is_locked(const Error& error) { return error.sqlstate() == "55P03"; }

Finding not_known(const char* check, Side side, const std::string& what) {
  Finding finding =
      finding_of(Severity::warning, check, side, "a table is locked as a whole; " + what,
                 "Somebody's open transaction alters, truncates or locks it.");
  finding.action = kRunAgain;
  return finding;
}

struct Examined {
  std::unique_ptr<pg::Session> session;
  ServerFacts facts;
};

class Examination {
 public:
  Examination(const Config& config, const pg::Server& source, const pg::Server& target)
      : config_(config), source_server_(source), target_server_(target) {}

  Report run() {
    const std::optional<Examined> source = ask(source_server_);
    const std::optional<Examined> target = ask(target_server_);
    if (source) {
      add(check_source(source->facts, config_.copy.workers));
    }
    if (target) {
      add(check_target(target->facts, config_.copy.workers));
    }
    if (source && target) {
      add(check_locales(source->facts, target->facts));
    }
    if (source) {
      attempt(Side::source, [&] { examine_schema(*source, target ? &*target : nullptr); });
    }
    return std::move(report_);
  }

 private:
  void add(std::vector<Finding> findings) {
    for (Finding& finding : findings) {
      report_.findings.push_back(std::move(finding));
    }
  }

  // What fails is told of that side, and the rest is examined all the same.
  template <typename Examine>
  void attempt(Side side, Examine&& examine) {
    try {
      examine();
    } catch (const Error& error) {
      Finding& finding = report_.findings.emplace_back(finding_of(
          Severity::error, "schema", side, "the schemas could not be compared", error.what()));
      if (is_locked(error)) {
        finding.action = kRunAgain;
      }
    }
  }

  // Nothing when the server cannot be reached or is too old to be asked.
  std::optional<Examined> ask(const pg::Server& server) {
    Examined examined;
    report_.places.push_back({server.side, to_string(endpoint_of(server))});
    try {
      examined.session = std::make_unique<pg::Session>(server);
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::config) {
        throw;
      }
      Finding& finding = report_.findings.emplace_back(
          finding_of(Severity::error, "connect", server.side, error.what(), error.detail()));
      finding.action = error.hint().empty() ? fmt::format("Check {}.dsn.", to_string(server.side))
                                            : error.hint();
      return std::nullopt;
    }
    try {
      examined.session->exec(kWaitForLocks);
      const std::string& name = config_.link.name;
      const bool forward = server.side == Side::source;
      examined.facts =
          read_facts(*examined.session, server, slot_name(forward ? name : reverse_name(name)));
      examined.facts.publishes = config_.link.create_publication;
    } catch (const Error& error) {
      add({finding_of(Severity::error, "connect", server.side, "the server could not be asked",
                      error.what())});
      return std::nullopt;
    }
    std::vector<Finding> unused;
    if (!check_version(examined.facts, unused)) {
      add(unused);
      return std::nullopt;
    }
    report_.latencies.push_back(measure_latency(*examined.session));
    add({check_latency(report_.latencies.back())});
    return examined;
  }

  void examine_schema(const Examined& source, const Examined* target) {
    schema::Database all = read_schema(
        *source.session, [&](const schema::Table& table) { return !group_name(table).empty(); });
    add(crossing_foreign_keys(config_, all));
    add(divided_tables(config_, all));
    report_.closed_groups = closed_groups(all);
    all.tables.erase(std::remove_if(all.tables.begin(), all.tables.end(),
                                    [&](const schema::Table& table) { return !copies(table); }),
                     all.tables.end());
    std::vector<SourceTable> tables = source_tables(*source.session);
    if (!config_.link.create_publication && !examine_publications(source, all, tables)) {
      return;
    }
    add(check_source_tables(all, tables, config_.link.create_publication));
    keep_streaming(tables, all);
    if (target != nullptr) {
      add(check_names(config_, *source.session, *target->session));
      examine_sizes(source, *target, tables);
      attempt(Side::target, [&] { examine_target(source, all, *target); });
    }
  }

  // Nothing where they cannot be read, which is told of that side.
  std::optional<TableBytes> bytes_of(pg::Session& session, const std::vector<SourceTable>& tables) {
    try {
      return read_sizes(session, tables);
    } catch (const Error& error) {
      add({is_locked(error) ? not_known("size", session.side(), "sizes are not read")
                            : finding_of(Severity::error, "size", session.side(),
                                         "sizes could not be read", error.what())});
      return std::nullopt;
    }
  }

  void examine_sizes(const Examined& source, const Examined& target,
                     const std::vector<SourceTable>& tables) {
    const std::optional<TableBytes> here = bytes_of(*source.session, tables);
    const std::optional<TableBytes> there = bytes_of(*target.session, tables);
    if (!here || !there) {
      return;
    }
    report_.sizes = sizes_of(*here, *there);
    add(check_sizes(report_.sizes,
                    {read_database_size(*source.session), read_database_size(*target.session)}));
    add(check_temp_files(report_.sizes, source.facts));
    add(check_temp_files(report_.sizes, target.facts));
  }

  // What the set-up would take, of what it reads.
  std::vector<SourceTable> source_tables(pg::Session& source) const {
    std::vector<SourceTable> tables = source.transact([](pqxx::transaction_base& transaction) {
      return pg::read_source_tables(transaction, pg::Sizes::estimated);
    });
    tables.erase(std::remove_if(tables.begin(), tables.end(),
                                [&](const SourceTable& table) {
                                  return !replicates_table(config_, table.name.schema,
                                                           table.name.name);
                                }),
                 tables.end());
    return tables;
  }

  // Leaves in `all` and `tables` what the publications give. False when one is missing.
  bool examine_publications(const Examined& source, schema::Database& all,
                            std::vector<SourceTable>& tables) {
    const std::vector<std::string>& names = config_.link.publications;
    std::vector<std::string> missing;
    std::vector<TableSupply> supplies;
    source.session->transact([&](pqxx::transaction_base& transaction) {
      missing = stream::missing_publications(transaction, names);
      if (missing.empty()) {
        supplies = stream::read_supplies(transaction, names);
      }
    });
    add(check_publications(missing));
    if (missing.empty()) {
      add(check_supplies(config_, all, supplies));
      keep_supplied(supplies, all);
      tables = supplied_tables(tables, supplies);
    }
    return missing.empty();
  }

  bool copies(const schema::Table& table) const {
    return replicates_table(config_, table.root.schema, table.root.name);
  }

  // Its group, also when that lives on the target; empty when it is not included.
  std::string group_name(const schema::Table& table) const {
    Config everywhere = config_;
    for (GroupConfig& group : everywhere.groups) {
      group.primary = Side::source;
    }
    return replicates_table(everywhere, table.root.schema, table.root.name)
               ? group_of(config_, table.root.schema, table.root.name)
               : "";
  }

  void examine_target(const Examined& source, const schema::Database& wanted,
                      const Examined& target) {
    const schema::Database there = read_schema(*target.session, [&](const schema::Table& table) {
      return wanted.find_table(table.name) != nullptr;
    });
    schema::Portable portable = schema::make_portable(wanted, there);
    add(std::move(portable.left_out));
    const std::vector<schema::Change> changes = schema::compare(portable.schema, there);
    for (const schema::Change& change : changes) {
      report_.findings.push_back(change.finding);
    }
    report_.ddl = schema::script_of(changes);
    if (changes.empty()) {
      report_.findings.push_back(finding_of(
          Severity::ok, "schema", Side::target,
          fmt::format("all {} tables are there and fit", portable.schema.tables.size())));
    }
    for (const IndexToMeasure& index : indexes_to_measure(portable.schema, there)) {
      examine_index_rows(*source.session, index);
    }
    add(bordering_foreign_keys(there, read_schema(*target.session, [&](const schema::Table& table) {
                                 return there.find_table(table.root) == nullptr;
                               })));
    try {
      add(check_filled(filled_tables(*target.session, portable.schema, there)));
    } catch (const Error& error) {
      if (!is_locked(error)) {
        throw;
      }
      add({not_known("not_empty", Side::target, "whether tables are empty is not known")});
    }
  }

  // Rows that are not ours to read, or locked, are a finding already.
  void examine_index_rows(pg::Session& source, const IndexToMeasure& index) {
    try {
      add(check_index_rows(index, largest_row(source, index)));
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::schema && !is_locked(error)) {
        throw;
      }
    }
  }

  // Of the index, if the source had it. Of a large table a part is looked at.
  static int64_t largest_row(pg::Session& source, const IndexToMeasure& index) {
    const std::string name = quote_qualified(index.table.schema, index.table.name);
    const auto size = source.exec_params(
        "select pg_table_size(to_regclass($1)), relkind = 'p' from pg_class "
        "where oid = to_regclass($1)",
        name);
    const auto bytes = size[0][0].as<int64_t>();
    const std::string sample = bytes > kMeasuredBytesMax
                                   ? fmt::format(" tablesample system ({:.6f})",
                                                 100.0 * static_cast<double>(kMeasuredBytesMax) /
                                                     static_cast<double>(bytes))
                                   : "";
    std::string sum = "0";
    for (const std::string& column : index.columns) {
      sum += fmt::format(" + coalesce(pg_column_size({}), 0)", quote_identifier(column));
    }
    const auto rows =
        source.exec(fmt::format("select coalesce(max({}), 0) from {}{}", sum, name, sample));
    return rows[0][0].as<int64_t>();
  }

  std::vector<TableName> filled_tables(pg::Session& target, const schema::Database& wanted,
                                       const schema::Database& there) const {
    std::vector<TableName> filled;
    if (!config_.copy.initial || on_nonempty(config_) != OnNonempty::refuse || has_begun(target)) {
      return filled;
    }
    for (const schema::Table& table : wanted.tables) {
      const schema::Table* have = there.find_table(table.name);
      const bool readable =
          have != nullptr && have->owned && !have->hides_rows && may_use(there, table.name.schema);
      if (readable && !table.parent &&
          target
              .exec(fmt::format("select exists (select from {})", schema::quoted(table.name)))[0][0]
              .as<bool>()) {
        filled.push_back(table.name);
      }
    }
    return filled;
  }

  static bool may_use(const schema::Database& database, const std::string& name) {
    return std::any_of(
        database.namespaces.begin(), database.namespaces.end(),
        [&](const schema::Namespace& each) { return each.name == name && each.usage; });
  }

  // Rows are expected where this link has been set up.
  bool has_begun(pg::Session& target) const {
    if (target.exec("select to_regclass('repld.progress')")[0][0].is_null()) {
      return false;
    }
    return !target.exec_params("select from repld.progress where link = $1", config_.link.name)
                .empty();
  }

  const Config& config_;
  const pg::Server& source_server_;
  const pg::Server& target_server_;
  Report report_;
};

}  // namespace

Report examine(const Config& config, const pg::Server& source, const pg::Server& target) {
  return Examination(config, source, target).run();
}

}  // namespace repld::doctor
