#include "pg/server.h"

#include <libpq-fe.h>

#include <array>
#include <fstream>
#include <iterator>
#include <memory>

#include "core/error.h"

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

void put(std::vector<std::pair<std::string, std::string>>& parameters, const std::string& key,
         const std::string& value) {
  for (auto& [existing, existing_value] : parameters) {
    if (existing == key) {
      existing_value = value;
      return;
    }
  }
  parameters.emplace_back(key, value);
}

void put_default(std::vector<std::pair<std::string, std::string>>& parameters,
                 const std::string& key, const std::string& value) {
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

}  // namespace

std::vector<std::pair<std::string, std::string>> connection_parameters(const Server& server,
                                                                       Purpose purpose) {
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
  std::vector<std::pair<std::string, std::string>> parameters;
  for (const PQconninfoOption* option = parsed.get(); option->keyword != nullptr; ++option) {
    if (option->val != nullptr) {
      parameters.emplace_back(option->keyword, option->val);
    }
  }
  if (const auto password = current_password(server)) {
    put(parameters, "password", *password);
  }
  std::string configured_options;
  for (const auto& [key, value] : parameters) {
    configured_options = key == "options" ? value : configured_options;
  }
  if (purpose != Purpose::unpinned) {
    put(parameters, "options", startup_options(configured_options, purpose));
  }
  put(parameters, "client_encoding", "UTF8");
  put(parameters, "fallback_application_name", "repld");
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
