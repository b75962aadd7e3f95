// The stderr log: any bytes, in blocks, must be used up without a crash, and give the same records
// whatever the blocks.
#include <cstdint>

#include "parsers/log_format.h"
#include "tests/fuzz/log_fuzzing.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  ectoscope::fuzz_log(ectoscope::LogFormat::kStderr, data, size);
  return 0;
}
