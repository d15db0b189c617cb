// Changes of shape amid the stream, in the order of work on both servers in which no link needs
// to stop, and large transactions: courses of several steps, one course after the other.
#pragma once

#include <atomic>
#include <map>
#include <string>
#include <vector>

#include "operation.h"

namespace repld::testing {

// Does the steps of one course, through restarts of either server. Every statement may be done
// twice, since its answer may be lost.
class Crew {
 public:
  Crew(std::string source_dsn, std::string target_dsn, std::string name, uint64_t seed);

  // Until the server takes it; each call is a transaction. Throws what cannot be meant.
  void on_source(const std::string& sql);
  void on_target(const std::string& sql);
  void script_on_source(const std::string& path);  // by psql
  // Until the target has everything that was committed on the source before the call.
  void await_copy();
  void done(const char* step) { counts_[step]++; }
  int below(int limit) { return dice_.below(limit); }

  const std::map<std::string, int64_t>& counts() const { return counts_; }

 private:
  const std::string source_dsn_;
  const std::string target_dsn_;
  const std::string name_;
  demo::Dice dice_;
  int marks_ = 0;
  std::map<std::string, int64_t> counts_;
};

struct Course {
  const char* name;
  std::vector<const char*> steps;  // as counted
  void (*run)(Crew& crew, int round);
};

const std::vector<Course>& everything_courses();

// Round after round, the last one to its end; at least two, which may differ.
void run_course(const Course& course, Crew& crew, const std::atomic<bool>& stop);

}  // namespace repld::testing
