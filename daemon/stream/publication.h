// The publication of a link: an explicit list of tables, never ALL TABLES; whose it is, and
// whether it still gives what the link needs.
//
// A partitioned table is listed by its root with publish_via_partition_root = false: its leaves,
// present and future, are then published under their own names, so that a TRUNCATE of a leaf
// arrives (under a root publication it is lost) and a new leaf is in the stream from its first
// row. A plain table is listed with ONLY: its inheritance children are tables of their own.
//
// Names are no proof: links to other targets, with the default name, look the same. So the comment
// says whose it is, by the nonce of the link's progress row, and what has another comment or none
// is never altered, used or dropped. A slot cannot carry a mark; it is ours when it is of this
// database and the publication of its name is ours, because the publication is made before the
// slot and removed after it.
//
// Interleavings:
//   two set-ups of one name      the name is unique: the second CREATE fails and is told so
//   died right after CREATE      its comment came in the same transaction: ours, made to fit again
//   died between the two drops   the publication still says that what is left is ours
//   altered behind our back      decoding reads the catalogs as of each change's own position, so
//                                what was missed does not come back with the publication
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/table.h"
#include "pg/session.h"

namespace repld::stream {

struct PublicationId {
  std::string name;  // of the slot too
  std::string mark;  // the comment; empty: nothing of this name can be ours
};

// `nonce`: of the link's progress row; empty when there is no row.
PublicationId publication_id(const std::string& name, const std::string& link,
                             const std::string& nonce);

// Throws Error(schema) naming every table whose UPDATEs publishing would break now or in a later
// partition (no usable replica identity), whose changes are in no WAL, or that is not ours to
// publish.
void require_publishable(const std::vector<SourceTable>& tables);

// Throws Error(refused) when a publication or slot of this name exists and is not ours.
void require_name(pg::Session& source, const PublicationId& id);

struct PublishedTable {
  TableName name;      // for messages, and to find it by where the entry is unknown
  uint32_t oid = 0;    // on the source; 0: unknown, goes by name
  uint32_t entry = 0;  // in pg_publication_rel: another one when it left and came back
};

// Creates the publication or makes ours publish exactly `tables`.
// Returns them with their entries. Throws Error(refused) when it is not ours.
std::vector<PublishedTable> publish(pg::Session& source, const PublicationId& id,
                                    const std::vector<SourceTable>& tables);

// Adds those that ours does not list yet. Returns all that it lists. Throws like publish().
std::vector<PublishedTable> add_tables(pg::Session& source, const PublicationId& id,
                                       const std::vector<SourceTable>& tables);
// Takes those out of ours that it lists, by entry and, where that is unknown, by name.
void drop_tables(pg::Session& source, const PublicationId& id,
                 const std::vector<PublishedTable>& tables);
// Changes nothing, but makes walsenders forget what they know of its tables.
void restate(pg::Session& source, const PublicationId& id);

// What a link was set up to receive.
struct Published {
  PublicationId id;
  std::vector<PublishedTable> tables;
  std::vector<PublishedTable> changing;  // coming or going: listed or not
};

// Nothing when the publication still gives all of it and no more. Else Error(slot_lost) when
// changes may have been missed, Error(schema) when there is only too much.
std::optional<Error> find_difference(pg::Session& source, const Published& published);

// The first releases the slot before. Throws Error(refused) when there is a slot that could be
// ours, but nothing proves it any more.
void drop_slot_if_ours(pg::Session& source, const PublicationId& id);
void drop_publication_if_ours(pg::Session& source, const PublicationId& id);
void drop_if_ours(pg::Session& source, const PublicationId& id);  // both, in this order

// What there is of ours, for people; empty after drop_if_ours.
std::vector<std::string> leftovers(pg::Session& source, const PublicationId& id);

}  // namespace repld::stream
