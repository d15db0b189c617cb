#include "core/error.h"

#include <cstdio>
#include <cstdlib>

namespace repld {

const char* to_string(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::config: return "config";
    case ErrorKind::connect: return "connect";
    case ErrorKind::protocol: return "protocol";
    case ErrorKind::schema: return "schema";
    case ErrorKind::conflict: return "conflict";
    case ErrorKind::slot_lost: return "slot_lost";
    case ErrorKind::refused: return "refused";
    case ErrorKind::internal: return "internal";
  }
  return "internal";
}

Reaction reaction_to(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::connect: return Reaction::retry;
    case ErrorKind::config: return Reaction::exit;
    default: return Reaction::pause;
  }
}

int exit_code_of(ErrorKind kind) { return kind == ErrorKind::config ? 2 : 1; }

void assertion_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "repld: assertion failed: %s (%s:%d)\n", condition, file, line);
  std::abort();
}

}  // namespace repld
