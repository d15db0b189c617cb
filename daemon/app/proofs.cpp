#include "app/proofs.h"

#include <algorithm>
#include <iterator>

namespace repld::app {

namespace {

bool has_tables(const OneWay& way) {
  return !way.link().is_resting() && !way.link().status().tables.empty();
}

template <typename Value>
void append(std::vector<Value>& to, const std::vector<Value>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

verify::ProofReport together(verify::ProofReport one, const verify::ProofReport& other) {
  append(one.tables, other.tables);
  append(one.compared, other.compared);
  append(one.mended, other.mended);
  append(one.sequences, other.sequences);
  append(one.orphans, other.orphans);
  if (one.not_looked_around.empty()) {
    one.not_looked_around = other.not_looked_around;
  }
  // A table of one direction is none of the other.
  const auto known = [&](const std::string& name) {
    return std::find(other.unknown.begin(), other.unknown.end(), name) == other.unknown.end();
  };
  one.unknown.erase(std::remove_if(one.unknown.begin(), one.unknown.end(), known),
                    one.unknown.end());
  if (!one.failure) {
    one.failure = other.failure;
  }
  one.fences += other.fences;
  one.retakes += other.retakes;
  one.pause_seconds_max = std::max(one.pause_seconds_max, other.pause_seconds_max);
  return one;
}

}  // namespace

void ask_both(OneWay& forward, OneWay& back, verify::Task task,
              const std::vector<std::string>& tables, const verify::Verifier::Reply& reply) {
  if (!has_tables(back)) {
    forward.verifier().ask(task, tables, reply);
  } else if (!has_tables(forward)) {
    back.verifier().ask(task, tables, reply);
  } else {
    forward.verifier().ask(
        task, tables, [&back, task, tables, reply](const verify::ProofReport& one) {
          back.verifier().ask(task, tables, [one, reply](const verify::ProofReport& other) {
            reply(together(one, other));
          });
        });
  }
}

}  // namespace repld::app
