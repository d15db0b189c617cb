// Publications that somebody else made and keeps (link.create_publication = false): they are read
// as they are, never altered, dropped or commented on.
//
// Nothing of ours is on the source then but the slot, so its position says whose it is. While a
// link is set up, its slot stands exactly where it was made, which the progress row knows from
// that moment on. Later the row moves ahead of the slot, never behind it: a slot that somebody made
// again under the name begins above all that we ever read from ours.
//
// Interleavings:
//   died while a backend waits to make the slot           that backend is known, and ended
//   died between the slot and the row knowing it          refused, to be dropped by hand
//   another link made a slot of the name meanwhile        it stands above our row: refused
//   the target went back to an older state                the slot is ahead: never streamed over,
//                                                         and left to be dropped by hand
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/lsn.h"
#include "core/supply.h"
#include "pg/session.h"

namespace repld::stream {

// Those of the names that are no publication of this database.
std::vector<std::string> missing_publications(pqxx::transaction_base& source,
                                              const std::vector<std::string>& publications);

// Every table that could be replicated, by name, with what these publications give of it, as the
// transaction's snapshot shows it. Throws Error(refused) naming those that do not exist.
std::vector<TableSupply> read_supplies(pqxx::transaction_base& source,
                                       const std::vector<std::string>& publications);

struct SlotClaim {
  std::string name;
  std::string system_identifier;  // of the server that it was made on
  Lsn position = Lsn::invalid;    // of the progress row; invalid: no slot is known to be made
  bool streamed = false;          // the position has moved on since
  std::string maker;              // backend that was told to make it; or empty
};

// Throws Error(refused) when there is a slot of that name that is not ours.
void require_slot_name(pg::Session& source, const SlotClaim& claim);
void drop_slot_if_ours(pg::Session& source, const SlotClaim& claim);
// What there is of ours, for people; empty after drop_slot_if_ours.
std::vector<std::string> leftovers(pg::Session& source, const SlotClaim& claim);

}  // namespace repld::stream
