#include "core/connect_advice.h"

#include <fmt/format.h>

#include "core/sql_text.h"

namespace repld {

namespace {

struct Wording {
  const char* part;
  const char* sqlstate;
};

// Sources: PostgreSQL's postinit.c, auth.c, hba.c and walsender.c; the wording differs by version.
constexpr Wording kWordings[] = {
    {"password authentication failed", "28P01"},
    {"no password supplied", "28P01"},
    {"no pg_hba.conf entry", "28000"},
    {"pg_hba.conf rejects", "28000"},
    {"is not permitted to log in", "28000"},
    {"permission denied to start WAL sender", "42501"},
    {"replication role to start walsender", "42501"},
    {"too many clients", "53300"},
    {"too many connections", "53300"},
    {"remaining connection slots", "53300"},
    {"exceeds max_wal_senders", "53300"},
    {"the database system is", "57P03"},
};

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::string sqlstate_by_words(const std::string& message) {
  for (const Wording& wording : kWordings) {
    if (has(message, wording.part)) {
      return wording.sqlstate;
    }
  }
  if (has(message, "does not exist") && !has(message, "certificate")) {
    if (has(message, "FATAL:  database \"")) return "3D000";
    if (has(message, "FATAL:  role \"")) return "28000";
  }
  return {};
}

bool is_pooler_refusal(const std::string& message) {
  return has(message, "unsupported startup parameter") || has(message, "Tenant or user not found");
}

std::string direct_address_hint(const ConnectFailure& failure) {
  const std::string part = pooler_part(failure.host, failure.port, failure.user);
  return fmt::format(
      "{} is a connection pooler{}, and replication does not pass through one. Name the server "
      "itself in {}.dsn: its direct host and port, usually 5432 (Supabase: "
      "db.PROJECT.supabase.co, user postgres).",
      failure.host.empty() ? "This" : failure.host, part.empty() ? "" : " (" + part + ")",
      to_string(failure.side));
}

std::string refusal_hint(const ConnectFailure& failure, const std::string& sqlstate) {
  const std::string side = to_string(failure.side);
  if (sqlstate == "28P01") {
    if (has(failure.message, "no password supplied")) {
      return fmt::format(
          "The server asks for a password and none is configured: set {0}.password_file, "
          "{0}.password_credential or {0}.password_env, or use .pgpass.",
          side);
    }
    return fmt::format(
        "Check the user \"{0}\" and its password; in a URI special characters must be "
        "percent-encoded, in {1}.password_file they stand as they are. repld tries again every "
        "half minute, and replctl resume at once, with what that file holds then; a password from "
        "elsewhere is read anew at a restart.",
        failure.user, side);
  }
  if (sqlstate == "28000") {
    return fmt::format(
        "The server does not let \"{}\" in from this address, or only with TLS: check the user, "
        "the provider's list of allowed addresses, and sslmode in {}.dsn.",
        failure.user, side);
  }
  if (sqlstate == "3D000") {
    return fmt::format("Check dbname in {}.dsn: the server has no database \"{}\".", side,
                       failure.database);
  }
  if (sqlstate == "42501" && failure.replication) {
    return fmt::format(
        "The user needs the right to replicate: as an administrator run ALTER ROLE {} "
        "REPLICATION, or ask the provider; then run replctl resume.",
        quote_identifier(failure.user));
  }
  if (sqlstate == "53300" && has(failure.message, "max_wal_senders")) {
    return "Every WAL sender is in use: end another replication client, or raise "
           "max_wal_senders (restart). repld goes on by itself when one is free.";
  }
  return advice_on_sqlstate(sqlstate);
}

std::string certificate_hint(const ConnectFailure& failure) {
  if (has(failure.message, "does not match host name")) {
    return fmt::format(
        "Put the name that the certificate is for into host, and the address, if it has to be "
        "given, into hostaddr of {}.dsn.",
        to_string(failure.side));
  }
  if (has(failure.message, "root certificate file")) {
    return fmt::format(
        "Download the provider's CA certificate and name its file in sslrootcert of {}.dsn; the "
        "daemon's user must be able to read it.",
        to_string(failure.side));
  }
  if (has(failure.message, "certificate verify failed")) {
    const std::string authority =
        failure.root_certificate.empty() ? "the CAs in ~/.postgresql" : failure.root_certificate;
    return fmt::format(
        "The server's certificate is not signed by {0}, or it has expired. This says which: "
        "openssl s_client -starttls postgres -connect {1}:{2} -CAfile {0}",
        authority, failure.host, failure.port);
  }
  if (has(failure.message, "does not support SSL")) {
    return "TLS is asked for and this server has none: check host and port; sslmode=disable "
           "only within one machine or a private network.";
  }
  return {};
}

std::string network_hint(const ConnectFailure& failure) {
  const std::string dsn = std::string(to_string(failure.side)) + ".dsn";
  if (has(failure.message, "could not translate host name")) {
    return fmt::format(
        "Check host in {}. A name that has only an IPv6 address, as Supabase's direct hosts, needs "
        "IPv6 on this machine, or the provider's IPv4 add-on.",
        dsn);
  }
  if (has(failure.message, "Network is unreachable") ||
      has(failure.message, "Cannot assign requested address") ||
      has(failure.message, "Address family not supported")) {
    return "This machine has no way to that address. One with colons is IPv6: give this machine "
           "IPv6, or the server an IPv4 address (Supabase: the IPv4 add-on).";
  }
  if (has(failure.message, "Connection refused")) {
    return fmt::format(
        "Nothing listens there: check host and port in {}, and whether the server runs.", dsn);
  }
  if (has(failure.message, "timeout expired") || has(failure.message, "No route to host")) {
    return fmt::format(
        "Nothing answers there: check host and port in {}, firewalls, and the provider's list of "
        "allowed addresses.",
        dsn);
  }
  return {};
}

}  // namespace

std::string pooler_part(const std::string& host, const std::string& port, const std::string& user) {
  if (has(host, ".pooler.supabase.")) {
    return "its host name says so";
  }
  if (port == "6543") {
    return "6543 is the port of poolers";
  }
  // Supabase's pooler tells projects apart by it.
  return user.rfind("postgres.", 0) == 0 ? fmt::format("user \"{}\" is a pooler's", user) : "";
}

std::string last_attempt(const std::string& message) {
  size_t start = message.rfind("connection to server ");
  start = start == std::string::npos ? 0 : start;
  return message.substr(start, message.find('\n', start) - start);
}

std::string advice_on_sqlstate(const std::string& sqlstate) {
  if (sqlstate == "25006") {
    return "This server takes no writes now: a demoted node, or a full disk's guard. repld goes "
           "on by itself when it does; several hosts in the DSN with "
           "target_session_attrs=read-write find the one that does.";
  }
  if (sqlstate == "53100") {
    return "A disk of this server is full: free or add space. repld goes on by itself.";
  }
  if (sqlstate == "53300") {
    return "Every connection is in use: end some, or raise max_connections. repld goes on by "
           "itself when one is free.";
  }
  if (sqlstate == "53400") {
    return "Every replication slot is in use: drop one that nobody needs (select slot_name, active "
           "from pg_replication_slots), or raise max_replication_slots (restart).";
  }
  if (sqlstate == "57P03") {
    return "The server is starting, stopping or recovering. repld goes on by itself.";
  }
  return {};
}

ConnectAdvice advise(const ConnectFailure& failure) {
  ConnectAdvice advice;
  advice.sqlstate =
      failure.sqlstate.empty() ? sqlstate_by_words(failure.message) : failure.sqlstate;
  if (is_pooler_refusal(failure.message)) {
    advice.hint = direct_address_hint(failure);
    advice.lasting = true;
    return advice;
  }
  if (!advice.sqlstate.empty()) {
    advice.hint = refusal_hint(failure, advice.sqlstate);
    const std::string group = advice.sqlstate.substr(0, 2);
    advice.lasting = group == "28" || group == "3D" || group == "42";
    return advice;
  }
  advice.hint = certificate_hint(failure);
  if (advice.hint.empty()) {
    advice.hint = network_hint(failure);
  }
  return advice;
}

}  // namespace repld
