// Reads one TOML table into typed values and refuses whatever nobody asked for.
//
// Each get() names the keys that a table may have; finish() then reports a key that is not among
// them, with the nearest one as hint.
#pragma once

#include <toml++/toml.h>

#include <string>
#include <vector>

#include "core/error.h"

namespace repld::app {

class TomlReader {
 public:
  // `table` may be null: all values keep their defaults. `section` is for messages.
  TomlReader(const toml::table* table, std::string section, std::string path);

  void get(const std::string& key, std::string& value);
  void get(const std::string& key, bool& value);
  void get(const std::string& key, std::vector<std::string>& value);
  void get_integer(const std::string& key, int64_t& value, int64_t min, int64_t max);
  // "60s", "20ms", "5m", "1h", "0".
  void get_duration_ms(const std::string& key, int64_t& value);
  // A list of tables, [[section.key]]; absent: none.
  std::vector<TomlReader> list(const std::string& key);
  // One of the names given; returns its index, or nothing when the key is absent.
  std::optional<size_t> get_choice(const std::string& key, const std::vector<std::string>& names);

  void finish() const;

  // "file:line:column: section.key: text".
  Error error_at(const std::string& key, const std::string& text) const;

 private:
  const toml::node* find(const std::string& key);

  const toml::table* table_;
  const std::string section_;
  const std::string path_;
  std::vector<std::string> known_;
};

std::string place_of(const toml::source_region& region, const std::string& path);

}  // namespace repld::app
