// Makes up the changes of one source transaction.
#pragma once

#include "sim/fake_source.h"

namespace repld::sim {

// Runs on `transaction.after`, which is what the tables were before.
class ChangeMaker {
 public:
  ChangeMaker(SourceTransaction& transaction, Random random) : it_(transaction), random_(random) {}

  void make(size_t changes);
  // A change with a value that the target refuses.
  void make_poison(const std::string& value);
  void say_marker();

 private:
  void insert(size_t table, const Row& row);
  void update(size_t table, const Row& old_row, const Row& row);
  void remove(size_t table, const Row& row);
  void truncate(const std::vector<size_t>& truncated);  // leaves
  void insert_some(size_t table);
  void update_some(size_t table);
  void move_key(size_t table);
  void hand_email_over();
  void write_again(size_t table);  // DELETE and INSERT of one key

  std::optional<Row> some_row(size_t table);
  Row made_up(size_t table);
  void change_columns(size_t table, Row& row);
  void touch(size_t table, const Row& row, bool inserted);
  void send(const Leaf& leaf, const pgoutput::Message& message, std::string shown);

  SourceTransaction& it_;
  Random random_;
};

}  // namespace repld::sim
