// Which groups a link carries: those that are written on its source. The other direction carries
// the others.
//
// A group moves in one transaction on either database (link/routes), first on the side that ceases
// to be written. Each says so in the WAL of its database, so each link knows the place in its
// stream: on the one side of it an unmarked change is an application's, on the other it was made by
// somebody who wrote to a replica. The place is kept in repld.flip before progress passes it; the
// link then begins again and reads the routes anew. The routes alone would not tell: a change
// before the place may be read after the group has moved, by a link that was away, or whose target
// has lost its last seconds in a failover and is brought again what it lost.
//
// What is guarded, shown and proven goes by the routes, of both databases: a group that is about to
// come may not be guarded here yet, and one that is about to leave is written elsewhere already.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "core/config.h"
#include "core/direction.h"
#include "core/lsn.h"
#include "core/table.h"
#include "link/routes.h"
#include "pg/session.h"

namespace repld::link {

struct Flip {
  int64_t generation = 0;
  Lsn lsn = Lsn::invalid;
};

class Carriage {
 public:
  // `source`, `target`: the routes as the link's two databases have them.
  Carriage(std::string link, const Config& config, Routes source, Routes target,
           std::map<std::string, Flip> flips);

  bool carries(const TableName& table) const;
  // Whether a change that was committed there is to be applied. With every move the group changes
  // sides, so that the generation of a place tells which it left.
  bool carries(const TableName& table, Lsn commit) const;
  // Nothing has ever moved, and all is carried.
  bool untouched() const { return untouched_; }
  // Whether the link has met this move, or a later one.
  bool has_met(const Announcement& move) const;
  Side primary_of(const std::string& group) const {
    return primary_in(newest(source_, target_), group);
  }
  const Routes& of_target() const { return target_; }

 private:
  static Side primary_in(const Routes& routes, const std::string& group);
  bool lives_on_source(const Routes& routes, const std::string& group) const;
  Side side_at(const std::string& group, int64_t generation) const;

  const std::string link_;
  const Config config_;
  const Routes source_;
  const Routes target_;
  const std::map<std::string, Flip> flips_;
  const bool untouched_;
};
using CarriagePtr = std::shared_ptr<const Carriage>;

// As the target has it now; of the source the same is assumed.
CarriagePtr read_carriage(const std::string& link, const Config& config, pg::Session& target);
// As both databases have it now. A source without schema repld has no routes.
CarriagePtr read_carriage(const std::string& link, const Config& config, pg::Session& source,
                          pg::Session& target);

// As the target has it, and goes on to have it until the transaction ends.
Carriage hold_carriage(pqxx::transaction_base& target, const std::string& link,
                       const Config& config);

// The link has met the move at `lsn`. Durable on return.
void keep_flip(pg::Session& target, const std::string& link, const Announcement& move, Lsn lsn);

}  // namespace repld::link
