#include "app/toml_reader.h"

#include <algorithm>

#include "core/duration.h"

namespace repld::app {

namespace {

size_t edit_distance(const std::string& left, const std::string& right) {
  std::vector<size_t> row(right.size() + 1);
  for (size_t j = 0; j <= right.size(); ++j) {
    row[j] = j;
  }
  for (size_t i = 1; i <= left.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= right.size(); ++j) {
      const size_t substituted = diagonal + (left[i - 1] == right[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
    }
  }
  return row.back();
}

std::string nearest(const std::string& key, const std::vector<std::string>& known) {
  std::string best;
  size_t best_distance = 4;  // further away it is no typo
  for (const std::string& candidate : known) {
    const size_t distance = edit_distance(key, candidate);
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

}  // namespace

std::string place_of(const toml::source_region& region, const std::string& path) {
  return fmt::format("{}:{}:{}", path, region.begin.line, region.begin.column);
}

TomlReader::TomlReader(const toml::table* table, std::string section, std::string path)
    : table_(table), section_(std::move(section)), path_(std::move(path)) {}

const toml::node* TomlReader::find(const std::string& key) {
  known_.push_back(key);
  return table_ == nullptr ? nullptr : table_->get(key);
}

Error TomlReader::error_at(const std::string& key, const std::string& text) const {
  const toml::node* node = table_ == nullptr ? nullptr : table_->get(key);
  const std::string place = node == nullptr ? path_ : place_of(node->source(), path_);
  return Error(ErrorKind::config, fmt::format("{}: {}.{}: {}", place, section_, key, text));
}

void TomlReader::get(const std::string& key, std::string& value) {
  if (const toml::node* node = find(key)) {
    const auto text = node->value_exact<std::string>();
    if (!text) {
      throw error_at(key, "must be a string");
    }
    value = *text;
  }
}

void TomlReader::get(const std::string& key, bool& value) {
  if (const toml::node* node = find(key)) {
    const auto flag = node->value_exact<bool>();
    if (!flag) {
      throw error_at(key, "must be true or false");
    }
    value = *flag;
  }
}

void TomlReader::get(const std::string& key, std::vector<std::string>& value) {
  const toml::node* node = find(key);
  if (node == nullptr) {
    return;
  }
  if (!node->is_array()) {
    throw error_at(key, "must be a list of strings");
  }
  value.clear();
  for (const toml::node& entry : *node->as_array()) {
    const auto text = entry.value_exact<std::string>();
    if (!text) {
      throw error_at(key, "must be a list of strings");
    }
    value.push_back(*text);
  }
}

void TomlReader::get_integer(const std::string& key, int64_t& value, int64_t min, int64_t max) {
  if (const toml::node* node = find(key)) {
    const auto number = node->value_exact<int64_t>();
    if (!number || *number < min || *number > max) {
      throw error_at(key, fmt::format("must be an integer from {} to {}", min, max));
    }
    value = *number;
  }
}

void TomlReader::get_duration_ms(const std::string& key, int64_t& value) {
  if (const toml::node* node = find(key)) {
    const auto text = node->value_exact<std::string>();
    const auto parsed = text ? parse_duration_ms(*text) : std::nullopt;
    if (!parsed) {
      throw error_at(key, "must be a duration")
          .hint("Write \"250ms\", \"20s\", \"15m\", \"1h\" or \"0\".");
    }
    value = *parsed;
  }
}

std::vector<TomlReader> TomlReader::list(const std::string& key) {
  std::vector<TomlReader> readers;
  const toml::node* node = find(key);
  if (node == nullptr) {
    return readers;
  }
  const std::string name = section_.empty() ? key : section_ + "." + key;
  if (!node->is_array_of_tables()) {
    throw Error(ErrorKind::config, fmt::format("{}: \"{}\" must be a list of sections",
                                               place_of(node->source(), path_), name))
        .hint("Write [[{}]] before each.", name);
  }
  for (const toml::node& entry : *node->as_array()) {
    readers.emplace_back(entry.as_table(), name, path_);
  }
  return readers;
}

std::optional<size_t> TomlReader::get_choice(const std::string& key,
                                             const std::vector<std::string>& names) {
  const toml::node* node = find(key);
  if (node == nullptr) {
    return std::nullopt;
  }
  const auto text = node->value_exact<std::string>();
  const auto found = std::find(names.begin(), names.end(), text.value_or(""));
  if (!text || found == names.end()) {
    throw error_at(key, fmt::format("must be one of: {}", fmt::join(names, ", ")));
  }
  return static_cast<size_t>(found - names.begin());
}

void TomlReader::finish() const {
  if (table_ == nullptr) {
    return;
  }
  for (const auto& [key, node] : *table_) {
    const std::string name(key.str());
    if (std::find(known_.begin(), known_.end(), name) != known_.end()) {
      continue;
    }
    Error error(ErrorKind::config,
                fmt::format("{}: unknown key \"{}\"", place_of(key.source(), path_),
                            section_.empty() ? name : section_ + "." + name));
    const std::string candidate = nearest(name, known_);
    if (!candidate.empty()) {
      error.hint("Did you mean \"{}\"?", candidate);
    }
    throw error;
  }
}

}  // namespace repld::app
