// Brings sequences of one side to where those of the other stand: they are not in the stream.
//
// While a link streams, those of its tables are followed now and then, so that little is left to do
// when the target takes over, and a target that takes over without being asked hands out no value
// twice but the newest. The last step, with a margin, is for whoever moves the tables.
#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "core/table.h"
#include "link/shared.h"
#include "pg/session.h"

namespace repld::link {

// Whether a table moves with what is being done.
using Carried = std::function<bool(const TableName& name)>;

struct SequenceRefusal {
  TableName sequence;
  std::string reason;  // why it was left where it was
};

// While neither side is written: sets sequences of `to` that a carried table of `from` uses, or no
// table and `carried` says so of its name,
// matched by name or by the column that owns them. It cannot be undone: it is no part of the
// transaction, which is why nothing goes backwards. Returns those that should have been set, and
// could not be.
// `margin`: see core/sequence.
std::vector<SequenceRefusal> carry_sequences(pqxx::transaction_base& from,
                                             pqxx::transaction_base& to, const Carried& carried,
                                             int64_t margin);

// Of the session that streams, on a thread of its own, until stopped. Leaves alone what cycles, and
// what a table uses that is written on the target.
class SequenceFollower {
 public:
  explicit SequenceFollower(Shared& shared) : shared_(shared) {}  // borrows it

  void run(const std::stop_token& stop);

 private:
  void follow(const std::stop_token& stop);
  void tell(const std::vector<SequenceRefusal>& refused);  // once per link

  Shared& shared_;
  // Kept until something fails.
  std::unique_ptr<pg::Session> source_;
  std::unique_ptr<pg::Session> target_;
};

}  // namespace repld::link
