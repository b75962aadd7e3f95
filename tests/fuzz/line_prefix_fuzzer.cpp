// A log_line_prefix from anywhere, against lines from anywhere; and the search for one.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "parsers/line_prefix.h"
#include "parsers/prefix_finder.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace ectoscope;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t split = input.find('\n');
  if (split == std::string_view::npos) return 0;
  const std::string_view line = input.substr(split + 1);
  StampReader stamps("UTC");
  const LinePrefix prefix(input.substr(0, split));
  LogRecord record;
  LineHead head;
  if (prefix.match(line, stamps, record, head) && head.length > line.size()) std::abort();
  LogRecord loose;
  LineHead loose_head;
  if (prefix.match_any_name(line, stamps, loose, loose_head) && loose_head.length > line.size())
    std::abort();
  prefix.breaks_off_in_name(line, stamps);
  prefix.has_tail(line, 0, line.size(), stamps);
  find_prefixes(line, stamps);
  return 0;
}
