// Every recorded capture, in its three formats, against a count by other means.
#include <array>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "parsers/execution_builder.h"
#include "parsers/log_format.h"

namespace ectoscope {
namespace {

namespace fs = std::filesystem;

const fs::path kCorpus = fs::path(SOURCE_DIR) / "../shared/corpus";

std::string output_of(const std::string& command) {
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  if (pipe == nullptr) return {};
  std::string text;
  std::array<char, 1 << 16> buffer{};
  for (size_t size = 0; (size = fread(buffer.data(), 1, buffer.size(), pipe.get())) > 0;)
    text.append(buffer.data(), size);
  return text;
}

/// The capture's log with this ending, compressed or not; empty when there is none.
std::string path_of(const fs::path& capture, const std::string& ending) {
  const std::string plain = (capture / capture.filename()).string() + ending;
  for (const std::string& path : {plain, plain + ".zst"})
    if (fs::exists(path)) return path;
  return {};
}

struct Counted {
  uint64_t executions = 0;
  int64_t micros = 0;
  uint64_t slow = 0;
  uint64_t plans_alone = 0;

  std::string str() const {
    return "{\"executions\": " + std::to_string(executions) +
           ", \"duration_us\": " + std::to_string(micros) + ", \"slow\": " + std::to_string(slow) +
           ", \"plans_alone\": " + std::to_string(plans_alone) + "}\n";
  }
};

Counted count(const std::string& path) {
  QueryTable queries(100'000);
  Routes routes(1000);
  const HashKey key{1, 2};
  SqlShapes shapes(queries, routes, key);
  StreamTable streams;
  Counted counted;
  ExecutionBuilder builder(shapes, queries, streams, key, "main",
                           [&](std::span<const Execution> batch, std::span<const PlannedRun>) {
                             for (const Execution& execution : batch) {
                               if (execution.has(Execution::kPlanOnly)) {
                                 ++counted.plans_alone;
                                 continue;
                               }
                               ++counted.executions;
                               counted.micros += execution.duration.count();
                               counted.slow += execution.duration >= Micros(100'000) ? 1 : 0;
                             }
                           });
  const std::string log = output_of("zstdcat -f " + path);
  LogParserOptions options;
  options.phase_texts = false;
  make_log_parser(options)->parse(log, true, builder);
  builder.flush();
  return counted;
}

TEST(CorpusExecutions, AreThoseOfAnIndependentCount) {
  if (!fs::exists(kCorpus))
    GTEST_SKIP() << "the whole recordings are not shipped: none at " << kCorpus;
  const std::string counter = std::string(SOURCE_DIR) + "/tests/tools/count_executions.py ";
  size_t captures = 0;
  for (const fs::directory_entry& capture : fs::directory_iterator(kCorpus)) {
    const std::string csv = path_of(capture, ".csv");
    if (csv.empty()) continue;
    ++captures;
    const std::string expected = output_of(counter + csv);
    for (const char* ending : {".csv", ".log", ".json"}) {
      EXPECT_EQ(count(path_of(capture, ending)).str(), expected)
          << capture.path().filename() << ending;
    }
  }
  EXPECT_GT(captures, 0U);
}

}  // namespace
}  // namespace ectoscope
