#include "verify/digest_choice.h"

#include <optional>

namespace repld::verify {

namespace {

// Nothing when the server refuses it, as it does md5 under FIPS.
std::optional<std::string> probe(pg::Connection& connection, DigestMethod method, bool utf8) {
  connection.exec("savepoint probe");
  try {
    const std::string answer = pg::text(connection.exec(digest_probe(method, utf8)), 0, 0);
    connection.exec("release savepoint probe");
    return answer;
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::connect) {
      throw;
    }
    connection.exec("rollback to savepoint probe");
    return std::nullopt;
  }
}

}  // namespace

Digest choose_digest(pg::Connection& source, pg::Connection& target) {
  const std::string encoding = "select getdatabaseencoding()";
  const std::string ours = pg::text(source.exec(encoding), 0, 0);
  const std::string theirs = pg::text(target.exec(encoding), 0, 0);
  const bool utf8 = ours == "UTF8" && theirs == "UTF8";
  for (const DigestMethod method : {DigestMethod::hash, DigestMethod::md5}) {
    const auto answer = probe(source, method, utf8);
    if (answer && answer == probe(target, method, utf8)) {
      return {method, ours != theirs};
    }
  }
  Error error(ErrorKind::refused,
              "the servers have no digest in common, so tables cannot be proven");
  error.detail("neither hashtextextended nor md5 gives the same on both")
      .hint(
          "One of them may forbid md5 (FIPS) while the other runs on a machine of another byte "
          "order, or prints values in another way.");
  throw error;
}

}  // namespace repld::verify
