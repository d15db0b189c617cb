// psql does the loading: both scripts use what only psql knows (COPY data inline, \ir).
#include "support/sample_databases.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <pqxx/pqxx>
#include <stdexcept>

namespace repld::testing {
namespace {

namespace fs = std::filesystem;

const fs::path kRepository = REPLD_SOURCE_DIR;

std::string shell_quoted(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

void run_psql(const std::string& dsn, const std::string& arguments) {
  const std::string command =
      "psql -X -q -o /dev/null -v ON_ERROR_STOP=1 -d " + shell_quoted(dsn) + " " + arguments;
  if (std::system(command.c_str()) != 0) throw std::runtime_error("psql failed: " + arguments);
}

// Statements, a line each, that need a superuser or went away: a language that is built in, owners
// by name, OIDs, and internal triggers, for which the foreign keys come after the rows instead.
bool belongs_to_old_servers(std::string_view line) {
  if (line.find(" TRIGGER ALL;") != std::string_view::npos) return true;
  if (line.find(" OWNER TO postgres;") != std::string_view::npos) return true;
  for (const char* start : {"CREATE PROCEDURAL LANGUAGE", "SET default_with_oids",
                            "COMMENT ON SCHEMA", "REVOKE ALL ON SCHEMA", "GRANT ALL ON SCHEMA"}) {
    if (line.starts_with(start)) return true;
  }
  return false;
}

// Copies the lines that a server of today takes; `data` goes before the first foreign key.
void adapt(const fs::path& script, const fs::path* data, std::ostream& out) {
  std::ifstream in(script);
  if (!in) throw std::runtime_error("cannot read " + script.string());
  std::string line;
  while (std::getline(in, line)) {
    if (data && line.find("; Type: FK CONSTRAINT;") != std::string::npos) {
      adapt(*data, nullptr, out);
      data = nullptr;
    }
    if (!belongs_to_old_servers(line)) out << line << '\n';
  }
}

}  // namespace

void run_script(const std::string& dsn, const std::string& path) {
  run_psql(dsn, "-f " + shell_quoted(path));
}

void load_salon(const std::string& dsn, Load load) {
  run_psql(dsn, "-f " + shell_quoted(kRepository / "demo/schema.sql"));
  if (load == Load::tables) return;
  run_psql(dsn, "-v scale=0.05 -f " + shell_quoted(kRepository / "demo/data.sql"));
}

std::optional<std::string> pagila_directory() {
  const char* given = std::getenv("REPLD_TEST_DATA");
  const fs::path base = given ? fs::path(given) : kRepository / "../shared/data";
  if (!fs::exists(base / "pagila/pagila-schema.sql")) return std::nullopt;
  return (base / "pagila").string();
}

void load_pagila(const std::string& directory, const std::string& dsn, Load load) {
  const fs::path adapted = fs::temp_directory_path() /
                           ("pagila-" + std::to_string(std::hash<std::string>{}(dsn)) + ".sql");
  {
    std::ofstream out(adapted);
    const fs::path data = fs::path(directory) / "pagila-data.sql";
    adapt(fs::path(directory) / "pagila-schema.sql",
          load == Load::tables_and_rows ? &data : nullptr, out);
  }
  run_psql(dsn, "-f " + shell_quoted(adapted));
  run_psql(dsn, "-f " + shell_quoted(kRepository / "demo/accounts.sql"));
  fs::remove(adapted);

  pqxx::connection connection(dsn);
  pqxx::work transaction(connection);
  for (const char* name : {"01", "02", "03", "04", "05", "06"}) {
    transaction.exec(std::string("alter table payment_p2007_") + name + " replica identity full");
  }
  if (load == Load::tables_and_rows) {
    transaction.exec("insert into cash_accounts select i, 1000 from generate_series(1, 50) i");
    transaction.exec("insert into card_accounts select i, 1000 from generate_series(1, 50) i");
  }
  transaction.commit();
}

}  // namespace repld::testing
