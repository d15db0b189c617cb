#include "core/connect_advice.h"

#include <doctest/doctest.h>

using namespace repld;

namespace {

ConnectFailure failure(const std::string& message) {
  ConnectFailure failure;
  failure.message = message;
  failure.host = "db.example.com";
  failure.port = "5432";
  failure.user = "postgres";
  failure.database = "app";
  failure.root_certificate = "/etc/repld/ca.crt";
  return failure;
}

std::string fatal(const std::string& words) {
  return "connection to server at \"db.example.com\" (192.0.2.1), port 5432 failed: FATAL:  " +
         words + "\n";
}

}  // namespace

TEST_CASE("each reason that a server gives has its SQLSTATE, its hint and its patience") {
  struct Row {
    const char* words;
    const char* sqlstate;
    const char* hint;
    bool lasting;
  };
  const Row rows[] = {
      {"password authentication failed for user \"postgres\"", "28P01", "password_file", true},
      {"no pg_hba.conf entry for host \"192.0.2.9\", user \"postgres\", database \"app\", no "
       "encryption",
       "28000", "sslmode in source.dsn", true},
      {"role \"postgres\" does not exist", "28000", "check the user", true},
      {"database \"app\" does not exist", "3D000", "no database \"app\"", true},
      {"sorry, too many clients already", "53300", "max_connections", false},
      {"too many connections for role \"postgres\"", "53300", "max_connections", false},
      {"remaining connection slots are reserved for roles with the SUPERUSER attribute", "53300",
       "max_connections", false},
      {"number of requested standby connections exceeds max_wal_senders (currently 5)", "53300",
       "WAL sender", false},
      {"the database system is starting up", "57P03", "by itself", false},
      {"unsupported startup parameter: replication", "", "direct host", true},
      {"Tenant or user not found", "", "db.PROJECT.supabase.co", true},
      {"something that nobody has met", "", "", false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.words);
    const ConnectAdvice advice = advise(failure(fatal(row.words)));
    CHECK(advice.sqlstate == row.sqlstate);
    CHECK(advice.hint.find(row.hint) != std::string::npos);
    CHECK(advice.lasting == row.lasting);
  }
}

TEST_CASE("a right that is missing is named for the kind of session that needs it") {
  for (const char* words : {"permission denied to start WAL sender",
                            "must be superuser or replication role to start walsender"}) {
    ConnectFailure refused = failure(fatal(words));
    refused.replication = true;
    const ConnectAdvice advice = advise(refused);
    CHECK(advice.sqlstate == "42501");
    CHECK(advice.hint.find("ALTER ROLE \"postgres\" REPLICATION") != std::string::npos);
    CHECK(advice.lasting);
  }
}

TEST_CASE("a SQLSTATE counts in any language") {
  ConnectFailure russian = failure(fatal("пользователь не прошёл проверку подлинности"));
  CHECK(advise(russian).hint == "");
  russian.sqlstate = "28P01";
  CHECK(advise(russian).hint.find("password") != std::string::npos);
  CHECK(advise(russian).lasting);
}

TEST_CASE("what libpq says itself is about the network or the certificate") {
  struct Row {
    const char* words;
    const char* hint;
  };
  const Row rows[] = {
      {"could not translate host name \"db.example.com\" to address: Name or service not known",
       "Check host in source.dsn"},
      {"Connection refused\n\tIs the server running on that host", "Nothing listens there"},
      {"timeout expired", "Nothing answers there"},
      {"Network is unreachable", "IPv6"},
      {"server certificate for \"a\" does not match host name \"b\"", "hostaddr"},
      {"root certificate file \"/etc/repld/ca.crt\" does not exist", "provider's CA"},
      {"SSL error: certificate verify failed", "-CAfile /etc/repld/ca.crt"},
      {"server does not support SSL, but SSL was required", "sslmode=disable"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.words);
    const ConnectAdvice advice = advise(failure(row.words));
    CHECK(advice.hint.find(row.hint) != std::string::npos);
    CHECK(advice.sqlstate == "");
    CHECK_FALSE(advice.lasting);
  }
}

TEST_CASE("a pooler is known by its name, its port or its user") {
  CHECK(pooler_part("aws-0-eu-central-1.pooler.supabase.com", "5432", "postgres") != "");
  CHECK(pooler_part("db.example.com", "6543", "postgres") != "");
  CHECK(pooler_part("db.example.com", "5432", "postgres.abcdefgh") != "");
  CHECK(pooler_part("db.example.com", "5432", "postgres") == "");
  CHECK(pooler_part("pooler.example.com", "5432", "first.last") == "");
}

TEST_CASE("of several attempts the last one is told") {
  CHECK(last_attempt("connection to server at \"::1\", port 1 failed: Connection refused\n\tIs the "
                     "server running\nconnection to server at \"127.0.0.1\", port 1 failed: FATAL:"
                     "  no\n") ==
        "connection to server at \"127.0.0.1\", port 1 failed: FATAL:  no");
  CHECK(last_attempt("invalid port number: \"x\"\n") == "invalid port number: \"x\"");
  CHECK(last_attempt("") == "");
}
