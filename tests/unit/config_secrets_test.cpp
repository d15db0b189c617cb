// Where passwords come from, and that no message repeats one.
#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "app/config_file.h"
#include "core/error.h"

using namespace repld;
namespace fs = std::filesystem;

namespace {

// A folder of its own that is gone afterwards.
class Folder {
 public:
  Folder() {
    std::string pattern = (fs::temp_directory_path() / "repld-unit-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  ~Folder() { fs::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::string path(const std::string& name) const { return (path_ / name).string(); }
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(path(name), std::ios::binary) << text;
    return path(name);
  }

 private:
  fs::path path_;
};

// An environment variable, put back afterwards.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) {
    if (const char* before = std::getenv(name)) {
      before_ = before;
    }
    value == nullptr ? ::unsetenv(name) : ::setenv(name, value, 1);
  }
  ~Variable() { before_ ? ::setenv(name_, before_->c_str(), 1) : ::unsetenv(name_); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
  std::optional<std::string> before_;
};

template <typename Act>
Error error_of(Act act) {
  try {
    act();
  } catch (const Error& error) {
    return error;
  }
  return Error(ErrorKind::internal, "nothing was refused");
}

std::string all_text(const Error& error) {
  return std::string(error.what()) + error.detail() + error.hint();
}

}  // namespace

TEST_CASE("a server without a word about passwords has none of ours") {
  CHECK_FALSE(app::resolve_password(ServerConfig(), Side::source).has_value());
}

TEST_CASE("a password is read from a file without the line end") {
  const Folder folder;
  struct Row {
    const char* content;
    const char* password;
  };
  const Row rows[] = {{"hunter2", "hunter2"},           {"hunter2\n", "hunter2"},
                      {"hunter2\r\n", "hunter2"},       {"hunter2\n\n", "hunter2"},
                      {" two words \n", " two words "}, {"a\nb\n", "a\nb"}};
  for (const Row& row : rows) {
    CAPTURE(row.content);
    ServerConfig server;
    server.password_file = folder.write("password", row.content);
    CHECK(app::resolve_password(server, Side::source) == row.password);
  }
  ServerConfig large;
  large.password_file = folder.write("large", std::string(8192, 'x'));
  CHECK(app::resolve_password(large, Side::source) == std::string(8192, 'x'));
}

TEST_CASE("a password is read from what systemd passes") {
  const Folder folder;
  folder.write("target_password", "hunter2\n");
  ServerConfig server;
  server.password_credential = "target_password";
  const Variable directory("CREDENTIALS_DIRECTORY", folder.path("").c_str());
  CHECK(app::resolve_password(server, Side::target) == "hunter2");
}

TEST_CASE("a password is read from the environment as it is") {
  const Variable variable("REPLD_UNIT_PASSWORD", "hunter2\n");
  ServerConfig server;
  server.password_env = "REPLD_UNIT_PASSWORD";
  CHECK(app::resolve_password(server, Side::target) == "hunter2\n");
}

TEST_CASE("a password that cannot be read names the key and what to do") {
  const Folder folder;
  const Variable directory("CREDENTIALS_DIRECTORY", nullptr);
  const Variable variable("REPLD_UNIT_PASSWORD", nullptr);
  struct Row {
    const char* name;
    ServerConfig server;
    std::string message;
    const char* hint;
  };
  const std::string missing = folder.path("missing");
  const char* readable = "It must exist and be readable by the daemon's user.";
  const Row rows[] = {
      {"no file",
       {"", missing, "", ""},
       "source.password_file: \"" + missing + "\" cannot be read",
       readable},
      {"a folder",
       {"", folder.path(""), "", ""},
       "source.password_file: \"" + folder.path("") + "\" cannot be read",
       readable},
      {"no credentials",
       {"", "", "db", ""},
       "source.password_credential: systemd passed no credentials",
       "Add LoadCredential=db:/path/to/file to the unit."},
      {"no variable",
       {"", "", "", "REPLD_UNIT_PASSWORD"},
       "source.password_env: REPLD_UNIT_PASSWORD is not set",
       ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const Error error = error_of([&] { app::resolve_password(row.server, Side::source); });
    CHECK(error.kind() == ErrorKind::config);
    CHECK(std::string(error.what()) == row.message);
    CHECK(error.hint() == row.hint);
  }
}

TEST_CASE("a file is loaded, and one that cannot be read is named") {
  const Folder folder;
  const std::string path =
      folder.write("repld.toml", "[source]\ndsn = \"a\"\n[target]\ndsn = \"b\"\n");
  CHECK(app::load_config(path).target.dsn == "b");
  for (const std::string& wrong : {folder.path("missing.toml"), folder.path("")}) {
    CAPTURE(wrong);
    const Error error = error_of([&] { app::load_config(wrong); });
    CHECK(error.kind() == ErrorKind::config);
    CHECK(std::string(error.what()) == wrong + ": cannot be read");
  }
  const std::string broken = folder.write("broken.toml", "[source\n");
  const Error error = error_of([&] { app::load_config(broken); });
  CHECK(std::string(error.what()) == broken + ":1:8: is no valid TOML here");
}

TEST_CASE("a server needs a connection string and at most one password") {
  struct Row {
    const char* text;
    const char* message;
  };
  const Row rows[] = {
      {"", "repld.toml: source.dsn: is required"},
      {"[source]\n", "repld.toml: source.dsn: is required"},
      {"[source]\ndsn = \"\"\n", "repld.toml:2:7: source.dsn: is required"},
      {"[source]\ndsn = \"a\"\n", "repld.toml: target.dsn: is required"},
      {"[source]\ndsn = \"a\"\npassword_file = \"f\"\npassword_env = \"E\"\n",
       "repld.toml:2:7: source.dsn: has several passwords"},
      {"[source]\ndsn = \"a\"\npassword_file = \"f\"\npassword_credential = \"c\"\n",
       "repld.toml:2:7: source.dsn: has several passwords"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const Error error = error_of([&] { app::parse_config(row.text, "repld.toml"); });
    CHECK(error.kind() == ErrorKind::config);
    CHECK(std::string(error.what()) == row.message);
    CHECK_FALSE(error.hint().empty());
  }
}

TEST_CASE("no mistake makes a message repeat a value that may be a secret") {
  const char* rows[] = {
      "[source]\ndsn = \"password=hunter2\n",
      "[source]\ndsn = password=hunter2\n",
      "[source]\ndsn = 'postgresql://a:hunter2@b' x\n",
      "[source]\n\"dsn\" \"password=hunter2\"\n",
      "[source]\ndsn = \"\\q hunter2\"\n",
      "[source]\ndsn = [\"password=hunter2\"]\n",
      "[source]\ndsn = \"password=hunter2\"\npassword_file = 5\n",
      "[source]\ndsn = \"password=hunter2\"\n",
      "[source]\ndsn = \"password=hunter2\"\ndsn = \"x\"\n",
      "[source]\npassword = \"hunter2\"\n",
      "[source]\ndsn = \"a\"\npassword = \"hunter2\"\n",
      "[source]\ndsn = \"a\"\npassword_file = \"hunter2\"\npassword_env = \"hunter2\"\n",
      "source = \"password=hunter2\"\n",
      "password = \"hunter2\"\n[source]\ndsn = \"a\"\n[target]\ndsn = \"b\"\n",
      "[source]\ndsn = \"a\"\n[target]\ndsn = \"b\"\n[http]\nlisten = \"hunter2\"\n",
      "[source]\ndsn = \"a\"\n[target]\ndsn = \"b\"\n[link]\nconfirm_margin = \"hunter2\"\n",
      "[source]\ndsn = \"a\"\n[target]\ndsn = \"b\"\n[log]\nlevel = \"hunter2\"\n",
  };
  for (const char* text : rows) {
    CAPTURE(text);
    const Error error = error_of([&] { app::parse_config(text, "repld.toml"); });
    CHECK(error.kind() == ErrorKind::config);
    CHECK(all_text(error).find("hunter2") == std::string::npos);
  }
}
