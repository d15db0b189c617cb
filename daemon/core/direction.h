// The two directions between a pair of databases. A link's name says which it is: the way back has
// the name of the configuration with an ending that no name in a configuration can have, so that
// its progress row, lock, guard, events and slot are nobody else's.
//
// Source and target of a link are where its changes come from and where they go. Sides are as the
// configuration names the databases, whatever the direction.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/config.h"

namespace repld {

bool is_reverse(std::string_view link);
std::string reverse_name(const std::string& configured);
// Of either direction, the name in the configuration.
std::string configured_name(const std::string& link);
std::string opposite_name(const std::string& link);

// Which side its changes come from.
Side source_side(std::string_view link);

// Of the slot and the publication, in letters that a slot may have.
std::string slot_name(const std::string& link);

// The configuration of the way back. What lives on the target from the start is replicated in
// neither direction, and nothing of the old primary is ever emptied.
Config mirrored(const Config& config);

// That a group began to live in a database, or ceased to, said in its WAL by the transaction that
// moved it: LINK:GENERATION:GROUP, the link as configured.
struct Announcement {
  std::string link;
  int64_t generation = 0;
  std::string group;
};
// Prefix of the logical message.
inline constexpr std::string_view kRoutePrefix = "repld.route";
// Nothing: it is none of ours.
std::optional<Announcement> parse_announcement(std::string_view text);

}  // namespace repld
