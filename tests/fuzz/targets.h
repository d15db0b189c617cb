// What each fuzz target does with one input.
//
// Bytes that are refused must be refused with the right kind of error, and bytes that are accepted
// must have been understood: a target writes them again, or checks what follows from them. Each
// returns whether it accepted the input, and throws std::logic_error when it finds a bug. Used by
// the fuzzer (fuzzer_entry.cpp) and, over the corpus in tests/data/fuzz, by the unit tests.
#pragma once

#include <string_view>

namespace repld::fuzz {

// One frame.
bool run_wal_frame(std::string_view bytes);

// How a stream of pgoutput messages is packed into one input: a byte that says how large a part
// of a transaction may become (2^n), a byte that says where to resume (n * 16), then messages,
// each behind its length in two bytes. Goes through the decoder and the assembler.
bool run_pgoutput(std::string_view bytes);

// The text of one configuration file.
bool run_config(std::string_view bytes);

}  // namespace repld::fuzz
