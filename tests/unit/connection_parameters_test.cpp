#include <doctest/doctest.h>

#include <cstdlib>

#include "core/error.h"
#include "pg/server.h"

using namespace repld;

namespace {

std::string value_of(const std::string& dsn, const std::string& key) {
  std::string value;
  for (const auto& [name, each] :
       pg::connection_parameters({Side::source, dsn, {}}, pg::Purpose::control)) {
    value = name == key ? each : value;
  }
  return value;
}

}  // namespace

TEST_CASE("over a network TLS is verified unless the DSN says otherwise") {
  ::unsetenv("PGSSLMODE");
  CHECK(value_of("host=db.example.co", "sslmode") == "verify-full");
  CHECK(value_of("postgresql://u@db.example.co/d", "sslmode") == "verify-full");
  CHECK(value_of("host=db.example.co hostaddr=192.0.2.1", "sslmode") == "verify-full");
  CHECK(value_of("host=192.0.2.1", "sslmode") == "verify-full");
  CHECK(value_of("host=db.example.co sslmode=require", "sslmode") == "require");
  CHECK(value_of("host=db.example.co sslmode=disable", "sslmode") == "disable");
  // What does not leave this machine, and what is said elsewhere.
  for (const char* dsn : {"host=/run/postgresql", "dbname=d", "host=127.0.0.1", "host=localhost",
                          "host=::1", "host=name hostaddr=127.0.0.1", "service=db host=db"}) {
    CAPTURE(dsn);
    CHECK(value_of(dsn, "sslmode") == "");
  }
}

TEST_CASE("a password that is not percent-encoded is refused, and no part of it told") {
  for (const char* dsn :
       {"postgresql://u:ab@canary@host/db", "postgresql://u:canary/x@host/db",
        "postgres://u:12/canary@host/db", "host=cana@ry port=5432", "host=h port=canary"}) {
    CAPTURE(dsn);
    try {
      pg::connection_parameters({Side::source, dsn, {}}, pg::Purpose::control);
      FAIL("taken");
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::config);
      const std::string told = error.what() + error.detail() + error.hint();
      CHECK(told.find("cana") == std::string::npos);
      CHECK(told.find("percent-encode") != std::string::npos);
    }
  }
  CHECK(value_of("postgresql://u:a%40b%2Fc@host/db", "password") == "a@b/c");
  CHECK(value_of("host=a,b port=5432,5433", "port") == "5432,5433");
  CHECK(value_of("host=h dbname=a@b/c", "dbname") == "a@b/c");
}
