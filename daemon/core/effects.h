// What SQL that the preflight prints does to the application, in words that several findings share.
//
// Source: PostgreSQL, "Explicit Locking", and the lock that ALTER TABLE says it takes.
#pragma once

#include <string>

namespace repld {

inline constexpr const char* kLocksForMoment =
    "For a moment nobody can read or write the table; if a transaction that has used it stays "
    "open, everybody waits with this for its end.";
inline constexpr const char* kLocksWhileRewritten =
    "The table is written anew, and nobody can read or write it until that is done.";
inline constexpr const char* kLocksWhileChecked =
    "Nobody can read or write the table while all its rows are read.";
inline constexpr const char* kWritersWait = "Nobody can write to the table until it is done.";

// Of NO FORCE ROW LEVEL SECURITY on a table of this owner's.
std::string effect_of_unforced_policies(const std::string& owner);

}  // namespace repld
