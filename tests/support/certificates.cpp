#include "support/certificates.h"

#include "support/server_user.h"

namespace repld::testing {

namespace {

// `openssl ca` and not `openssl x509`, because only that takes dates of the past.
std::string ca_settings(const std::string& directory) {
  return "[ca]\ndefault_ca = own\n[own]\ndatabase = " + directory +
         "/index\nserial = " + directory + "/serial\nnew_certs_dir = " + directory +
         "\ncertificate = " + directory + "/ca.crt\nprivate_key = " + directory +
         "/ca.key\ndefault_md = sha256\npolicy = any\nunique_subject = no\n"
         "[any]\ncommonName = supplied\n";
}

void make_key(const std::string& path) {
  must_run({"openssl", "ecparam", "-genkey", "-name", "prime256v1", "-noout", "-out", path});
}

}  // namespace

CertificateAuthority::CertificateAuthority(const std::string& directory) : directory_(directory) {
  write_server_file(directory + "/ca.cnf", ca_settings(directory));
  write_server_file(directory + "/index", "");
  write_server_file(directory + "/serial", "01\n");
  make_key(directory + "/ca.key");
  must_run({"openssl", "req", "-x509", "-new", "-key", directory + "/ca.key", "-subj",
            "/CN=repld test authority", "-days", "2", "-out", root_path()});
}

Certificate CertificateAuthority::issue(const std::string& dns_name, Validity validity) {
  const std::string base = directory_ + "/server" + std::to_string(++issued_);
  make_key(base + ".key");
  must_run({"openssl", "req", "-new", "-key", base + ".key", "-subj", "/CN=repld test server",
            "-out", base + ".csr"});
  write_server_file(base + ".ext", "subjectAltName = DNS:" + dns_name + "\n");
  const bool expired = validity == Validity::expired;
  must_run({"openssl", "ca", "-batch", "-notext", "-config", directory_ + "/ca.cnf", "-extfile",
            base + ".ext", "-startdate", "20200101000000Z", "-enddate",
            expired ? "20200102000000Z" : "20991231000000Z", "-in", base + ".csr", "-out",
            base + ".crt"});
  return {base + ".crt", base + ".key"};
}

}  // namespace repld::testing
