// Opens the new primary: all of it in one transaction, which is made ready before the old one is
// closed and committed after. One that was lost is made again from nothing: by then nobody writes
// to the group on either side, so there is no hurry that would justify less than all of it.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "cutover/course.h"
#include "link/sequences.h"
#include "pg/open_transaction.h"
#include "pg/session.h"

namespace repld::cutover {

class NewPrimary {
 public:
  // Connects. `carrier`: name of the link whose replica the tables are until now. `carried`: see
  // link/sequences.
  NewPrimary(const pg::Server& server, const Course& course, std::string carrier,
             link::Carried carried);

  // Begins, and keeps vacuums away from the tables: writers would wait for them.
  // Throws Error; refused when one does not give way.
  void quiet();
  // Journal, route, what stood around the tables, sequences; uncommitted. `owner`: as whom the
  // carrying link is owned, which must be so still; empty: it has been drained for good. Returns
  // what people should know. Throws Error.
  std::vector<std::string> prepare(pg::Session& old_primary, const std::string& owner,
                                   std::chrono::milliseconds within);
  bool is_prepared() const { return prepared_; }
  // Throws Error, after which it is not known whether that took place.
  void commit();

 private:
  const Course course_;
  const std::string carrier_;
  const link::Carried carried_;
  pg::OpenTransaction transaction_;
  bool prepared_ = false;
};

}  // namespace repld::cutover
