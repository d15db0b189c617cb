// libFuzzer's way into one target; REPLD_FUZZ_TARGET is its name.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "fuzz/targets.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  repld::fuzz::REPLD_FUZZ_TARGET({reinterpret_cast<const char*>(bytes), size});
  return 0;
}
