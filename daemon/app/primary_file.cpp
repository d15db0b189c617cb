#include "app/primary_file.h"

#include <filesystem>
#include <fstream>
#include <iterator>

#include "core/error.h"

namespace repld::app {

namespace {

std::filesystem::path path_beside(const std::string& control_socket) {
  return std::filesystem::path(control_socket).parent_path() / "primary.json";
}

std::string content_of(const std::filesystem::path& path) {
  std::ifstream existing(path);
  return {std::istreambuf_iterator<char>(existing), {}};
}

}  // namespace

void write_primary_file(const std::string& control_socket, const std::optional<std::string>& json) {
  const auto path = path_beside(control_socket);
  if (!json || content_of(path) == *json) {
    return;
  }
  auto fresh = path;
  fresh += ".new";
  // One that could not be written whole never takes the place of the last that was.
  std::ofstream file(fresh, std::ios::trunc);
  file << *json;
  file.close();
  std::error_code failure;
  if (file) {
    std::filesystem::rename(fresh, path, failure);
  }
  if (!file || failure) {
    std::error_code left;
    std::filesystem::remove(fresh, left);
    throw Error(ErrorKind::config, fmt::format("cannot write \"{}\"", path.string()))
        .hint("The directory of control.socket must exist and be writable.");
  }
}

}  // namespace repld::app
