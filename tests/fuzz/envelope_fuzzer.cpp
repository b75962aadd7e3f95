// Logs in envelopes: any bytes, in blocks, must be used up without a crash.  The first byte says
// which.
#include <array>
#include <cstdint>

#include "parsers/log_format.h"
#include "tests/fuzz/log_fuzzing.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using ectoscope::LogFormat;
  constexpr std::array kFormats = {LogFormat::kCnpg, LogFormat::kCloudSql, LogFormat::kSyslog,
                                   LogFormat::kJournald};
  if (size == 0) return 0;
  const std::string_view log(reinterpret_cast<const char*>(data) + 1, size - 1);
  for (const size_t block : {SIZE_MAX, size_t{257}})
    ectoscope::parse_all(kFormats[data[0] % kFormats.size()], log, block);
  return 0;
}
