// How fast the log formats are read: parse_formats FILE
//
// Reads the file in 1 MiB blocks, as ectoscope does, and counts what comes out.  The clock is the
// process's CPU time, the best of some runs; reading alone is measured first and taken off.
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <memory>
#include <string_view>
#include <vector>

#include "parsers/log_format.h"

namespace {

using ectoscope::LogParser;
using ectoscope::LogRecord;

constexpr size_t kBlock = 1U << 20U;
constexpr int kRuns = 5;

class Counter final : public ectoscope::RecordHandler {
 public:
  void on_record(const LogRecord& record) override {
    text_bytes += record.message.size() + record.detail.size();
  }
  void on_late_part(const LogRecord& /*part*/) override { ++late_parts; }

  uint64_t text_bytes = 0;
  uint64_t late_parts = 0;
};

double cpu_seconds() {
  return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

/// Bytes read; `parser` may be null: the file is only read.
uint64_t run(std::FILE* file, LogParser* parser, Counter& counter) {
  std::rewind(file);
  std::vector<char> block(kBlock);
  size_t held = 0;
  uint64_t total = 0;
  for (;;) {
    if (block.size() - held < kBlock / 2) block.resize(block.size() * 2);
    const size_t got = std::fread(block.data() + held, 1, block.size() - held, file);
    total += got;
    held += got;
    if (parser == nullptr) held = 0;
    if (parser != nullptr) {
      const size_t used = parser->parse({block.data(), held}, got == 0, counter);
      std::memmove(block.data(), block.data() + used, held - used);
      held -= used;
    }
    if (got == 0) return total;
  }
}

void print(uint64_t bytes, const LogParser& parser, const Counter& counter) {
  const auto number = [](uint64_t value) { return static_cast<unsigned long long>(value); };
  std::printf("bytes %llu records %llu late %llu text %llu\n", number(bytes),
              number(parser.records()), number(counter.late_parts), number(counter.text_bytes));
  for (const auto& [reason, count] : parser.drops())
    std::printf("dropped %s %llu\n", reason.c_str(), number(count));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: parse_formats FILE\n");
    return 2;
  }
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(argv[1], "rb"),
                                                             std::fclose);
  if (!file) {
    std::perror(argv[1]);
    return 3;
  }
  double reading = 1e9;
  double both = 1e9;
  for (int i = 0; i < kRuns; ++i) {
    Counter counter;
    const double start = cpu_seconds();
    run(file.get(), nullptr, counter);
    reading = std::min(reading, cpu_seconds() - start);
  }
  ectoscope::LogParserOptions options;
  options.phase_texts = false;
  for (int i = 0; i < kRuns; ++i) {
    Counter counter;
    const std::unique_ptr<LogParser> parser = ectoscope::make_log_parser(options);
    const double start = cpu_seconds();
    const uint64_t bytes = run(file.get(), parser.get(), counter);
    both = std::min(both, cpu_seconds() - start);
    if (i + 1 == kRuns) print(bytes, *parser, counter);
  }
  const double parsing = std::max(both - reading, 1e-9);
  std::printf("read %.3f s, parse %.3f s\n", reading, parsing);
  return 0;
}
