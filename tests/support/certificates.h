// A certificate authority of a test's own, made with the openssl program.
#pragma once

#include <string>

namespace repld::testing {

enum class Validity { current, expired };

struct Certificate {
  std::string path;
  std::string key_path;  // only the server's user may read it
};

class CertificateAuthority {
 public:
  // Its files go into `directory`, which must exist and belong to the server's user.
  explicit CertificateAuthority(const std::string& directory);

  // For a server that clients call by this DNS name.
  Certificate issue(const std::string& dns_name, Validity validity = Validity::current);

  // What clients name as sslrootcert.
  std::string root_path() const { return directory_ + "/ca.crt"; }

 private:
  std::string directory_;
  int issued_ = 0;
};

}  // namespace repld::testing
