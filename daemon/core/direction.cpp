#include "core/direction.h"

#include <charconv>
#include <utility>

namespace repld {

namespace {

constexpr std::string_view kEnding = "-back";

}  // namespace

bool is_reverse(std::string_view link) {
  return link.size() > kEnding.size() && link.substr(link.size() - kEnding.size()) == kEnding;
}

std::string reverse_name(const std::string& configured) {
  return configured + std::string(kEnding);
}

std::string configured_name(const std::string& link) {
  return is_reverse(link) ? link.substr(0, link.size() - kEnding.size()) : link;
}

std::string opposite_name(const std::string& link) {
  return is_reverse(link) ? configured_name(link) : reverse_name(link);
}

Side source_side(std::string_view link) { return is_reverse(link) ? Side::target : Side::source; }

std::string slot_name(const std::string& link) {
  return (is_reverse(link) ? "repldback_" : "repld_") + configured_name(link);
}

Config mirrored(const Config& config) {
  Config back = config;
  std::swap(back.source, back.target);
  back.link.name = reverse_name(config.link.name);
  back.link.create_publication = true;
  back.link.publications.clear();
  back.copy.on_nonempty = OnNonempty::refuse;
  return back;
}

std::optional<Announcement> parse_announcement(std::string_view text) {
  const size_t first = text.find(':');
  const size_t second = first == std::string_view::npos ? first : text.find(':', first + 1);
  if (second == std::string_view::npos) {
    return std::nullopt;
  }
  Announcement announcement;
  announcement.link = text.substr(0, first);
  announcement.group = text.substr(second + 1);
  const char* const end = text.data() + second;
  const auto [read, error] = std::from_chars(text.data() + first + 1, end, announcement.generation);
  if (error != std::errc{} || read != end) {
    return std::nullopt;
  }
  return announcement;
}

}  // namespace repld
