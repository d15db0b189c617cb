#include "pg/server.h"

#include <libpq-fe.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>

#include "core/error.h"
#include "core/server_facts.h"

namespace repld::pg {

namespace {

struct Setting {
  const char* name;
  const char* value;
};

// Sources: PostgreSQL, "Server Configuration"; all exist since 14.
constexpr Setting kSettings[] = {
    // How values are printed and parsed.
    {"datestyle", "ISO"},
    {"intervalstyle", "postgres"},
    {"timezone", "UTC"},
    {"extra_float_digits", "3"},
    {"bytea_output", "hex"},
    {"lc_monetary", "C"},
    {"xmloption", "content"},
    {"search_path", ""},
    {"array_nulls", "on"},
    {"standard_conforming_strings", "on"},
    {"transform_null_equals", "off"},
    // Rows that a policy hides must be an error, not an absence.
    {"row_security", "off"},
    {"exit_on_error", "off"},
    {"default_transaction_isolation", "read\\ committed"},
    {"default_transaction_deferrable", "off"},
    {"client_min_messages", "warning"},
    {"quote_all_identifiers", "off"},
    {"jit", "off"},
    // Our own waits are bounded where they are made; an idle link is not a forgotten one.
    {"statement_timeout", "0"},
    {"lock_timeout", "0"},
    {"idle_in_transaction_session_timeout", "0"},
    {"idle_session_timeout", "0"},
    // A server must notice a vanished client while it executes that client's pipeline.
    {"tcp_keepalives_idle", "10"},
    {"tcp_keepalives_interval", "5"},
    {"tcp_keepalives_count", "3"},
    {"tcp_user_timeout", "20000"},
    {"client_connection_check_interval", "2000"},
};

std::optional<std::string> current_password(const Server& server) {
  if (server.password_file.empty()) {
    return server.password;
  }
  std::ifstream file(server.password_file, std::ios::binary);
  std::string password(std::istreambuf_iterator<char>(file), {});
  password.erase(password.find_last_not_of("\r\n") + 1);
  return password.empty() ? server.password : password;
}

using OptionList = std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)>;

void put(Parameters& parameters, const std::string& key, const std::string& value) {
  for (auto& [existing, existing_value] : parameters) {
    if (existing == key) {
      existing_value = value;
      return;
    }
  }
  parameters.emplace_back(key, value);
}

void put_default(Parameters& parameters, const std::string& key, const std::string& value) {
  for (const auto& [existing, existing_value] : parameters) {
    if (existing == key) {
      return;
    }
  }
  parameters.emplace_back(key, value);
}

std::string startup_options(const std::string& configured, Purpose purpose) {
  std::string options = configured;
  for (const Setting& setting : kSettings) {
    options += fmt::format(" -c {}={}", setting.name, setting.value);
  }
  // Seen by pg/pinned: a pooler may drop all of these silently.
  options += " -c repld.pinned=on";
  if (purpose == Purpose::apply) {
    // Rows are found by key, one by one. A plan made while a table was one page would scan it even
    // when a batch has filled it with versions that nothing can prune yet, and one made for many
    // rows would read a whole index to join with them.
    options +=
        " -c synchronous_commit=off -c enable_seqscan=off -c enable_hashjoin=off"
        " -c enable_mergejoin=off";
  } else {
    options += " -c synchronous_commit=on";
  }
  return options;
}

// A URI whose password holds a bare @ or / is still one, with the rest of the password in the host,
// the port or the database, which errors name.
void require_no_password_elsewhere(const Server& server, const Parameters& parameters) {
  const bool uri =
      server.dsn.rfind("postgres://", 0) == 0 || server.dsn.rfind("postgresql://", 0) == 0;
  const std::string port = value_of(parameters, "port");
  const bool doubtful =
      value_of(parameters, "host").find('@') != std::string::npos ||
      port.find_first_not_of("0123456789,") != std::string::npos ||
      (uri && value_of(parameters, "dbname").find_first_of("@/") != std::string::npos);
  if (doubtful) {
    throw Error(ErrorKind::config, fmt::format("{}.dsn: host, port or dbname holds a character "
                                               "that it cannot have",
                                               to_string(server.side)))
        .hint(
            "In a URI percent-encode what is special in the user, the password and the database "
            "(@ is %40, / is %2F, : is %3A), or put the password into password_file.");
  }
}

// A service file or the environment, which what we set would override.
bool says_how_elsewhere(const Parameters& parameters) {
  return !value_of(parameters, "service").empty() || std::getenv("PGSERVICE") != nullptr ||
         std::getenv("PGSSLMODE") != nullptr;
}

bool crosses_network(const Parameters& parameters) {
  const std::string address = value_of(parameters, "hostaddr");
  return !is_local_host(address.empty() ? value_of(parameters, "host") : address);
}

}  // namespace

std::string value_of(const Parameters& parameters, const std::string& keyword) {
  for (const auto& [key, value] : parameters) {
    if (key == keyword) {
      return value;
    }
  }
  return {};
}

Parameters connection_parameters(const Server& server, Purpose purpose) {
  char* parse_error = nullptr;
  const OptionList parsed(PQconninfoParse(server.dsn.c_str(), &parse_error), PQconninfoFree);
  // libpq's own words repeat parts of the string, which may be the password.
  PQfreemem(parse_error);
  if (parsed == nullptr) {
    throw Error(ErrorKind::config, fmt::format("{}.dsn cannot be parsed", to_string(server.side)))
        .hint(
            "Write key=value pairs or a postgresql:// URI; in a URI, percent-encode special "
            "characters, or put the password into password_file.");
  }
  Parameters parameters;
  for (const PQconninfoOption* option = parsed.get(); option->keyword != nullptr; ++option) {
    if (option->val != nullptr) {
      parameters.emplace_back(option->keyword, option->val);
    }
  }
  require_no_password_elsewhere(server, parameters);
  if (const auto password = current_password(server)) {
    put(parameters, "password", *password);
  }
  if (purpose != Purpose::unpinned) {
    put(parameters, "options", startup_options(value_of(parameters, "options"), purpose));
  }
  put(parameters, "client_encoding", "UTF8");
  put(parameters, "fallback_application_name", "repld");
  if (crosses_network(parameters) && !says_how_elsewhere(parameters)) {
    put_default(parameters, "sslmode", "verify-full");
  }
  put_default(parameters, "connect_timeout", "10");
  put_default(parameters, "keepalives_idle", "10");
  put_default(parameters, "keepalives_interval", "5");
  put_default(parameters, "keepalives_count", "3");
  // A server that works on one statement takes nothing of what is queued behind it meanwhile, and
  // that looks like one that is gone.
  put_default(parameters, "tcp_user_timeout", purpose == Purpose::apply ? "120000" : "20000");
  if (purpose == Purpose::replication) {
    put(parameters, "replication", "database");
  }
  return parameters;
}

std::string connection_string(const Server& server, Purpose purpose) {
  std::string text;
  for (const auto& [key, value] : connection_parameters(server, purpose)) {
    text += key + "='";
    for (const char c : value) {
      if (c == '\'' || c == '\\') {
        text += '\\';
      }
      text += c;
    }
    text += "' ";
  }
  return text;
}

bool refuses_sessions(const Server& server) {
  return PQping(connection_string(server, Purpose::control).c_str()) == PQPING_REJECT;
}

}  // namespace repld::pg
