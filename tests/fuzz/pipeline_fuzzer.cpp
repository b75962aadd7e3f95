// Any bytes as a log, through everything: the first byte chooses the format, the second cuts the
// rest into blocks.
#include <cstddef>
#include <cstdint>
#include <sstream>
#include <string_view>

#include "daemon/pipeline.h"
#include "outputs/json_report.h"
#include "outputs/text_report.h"
#include "parsers/log_format.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace ectoscope;
  if (size < 2) return 0;
  static const Config kConfig = Config::defaults(settings_tables());
  static const LogParserOptions kOptions;
  const auto format = data[0] % 4;
  auto parser = format == 3 ? make_log_parser(kOptions)
                            : make_log_parser(static_cast<LogFormat>(format), kOptions);
  const size_t block = size_t{data[1]} * 16 + 64;
  std::string_view text(reinterpret_cast<const char*>(data) + 2, size - 2);

  Pipeline pipeline(kConfig, {}, {});
  size_t held = block;  // how much of the text is at hand: grows when no record is whole
  while (!text.empty()) {
    const bool last = held >= text.size();
    const size_t used = parser->parse(text.substr(0, held), last, pipeline.records());
    if (used > text.size() || (last && used != text.size())) __builtin_trap();
    text.remove_prefix(used);
    held = used == 0 ? held * 2 : block;
  }
  pipeline.file_ended(*parser, size);
  const AnalysisReport report = pipeline.finish();
  std::ostringstream out;
  write_json_report(report, "0", out);
  write_text_report(report, pipeline.queries(), {}, out);
  return 0;
}
