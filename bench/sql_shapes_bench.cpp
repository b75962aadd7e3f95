// What SqlShapes::resolve() costs, in nanoseconds of CPU time a call: sql_shapes_bench
//
//   exact     a 250-byte statement with a traceparent that is new each time: the usual hit
//   tags      the same with application, controller, action and traceparent
//   begin     BEGIN
//   skeleton  the statement with an inlined id that is new each time
//   miss      a statement never seen: parsed
#include <array>
#include <cstdio>
#include <ctime>
#include <string>
#include <vector>

#include "parsers/sql_shapes.h"

namespace {

using ectoscope::HashKey;
using ectoscope::QueryTable;
using ectoscope::Routes;
using ectoscope::SqlShapes;

constexpr std::string_view kSelect =
    "SELECT p0.\"id\", p0.\"title\", p0.\"body\", p0.\"status\", p0.\"user_id\", "
    "p0.\"inserted_at\", p0.\"updated_at\", p0.\"slug\", p0.\"locale\", p0.\"position\", "
    "p0.\"pinned\" FROM \"posts\" AS p0 WHERE (p0.\"user_id\" = ";

double cpu_ns() {
  return static_cast<double>(std::clock()) * (1e9 / CLOCKS_PER_SEC);
}

std::string traceparent(size_t number) {
  std::array<char, 80> text{};
  std::snprintf(text.data(), text.size(), "traceparent='00-%032zx-%016zx-01'", number + 1,
                number + 1);
  return text.data();
}

/// Best of five passes over `texts`, so that another process's turn does not count.
double run(SqlShapes& shapes, const std::vector<std::string>& texts, size_t passes) {
  double best = 1e18;
  uint64_t sum = 0;
  for (size_t pass = 0; pass < passes; ++pass) {
    const double start = cpu_ns();
    for (const std::string& text : texts)
      sum += shapes.resolve(text).query;
    best = std::min(best, (cpu_ns() - start) / static_cast<double>(texts.size()));
  }
  return sum == 0 ? 0 : best;
}

void report(const char* name, const std::vector<std::string>& texts, size_t passes) {
  QueryTable queries(size_t{1} << 18U);
  Routes routes(10'000);
  SqlShapes shapes(queries, routes, HashKey{1, 2});
  std::printf("%-10s %8.1f ns  (%zu bytes)\n", name, run(shapes, texts, passes), texts[0].size());
}

}  // namespace

int main() {
  constexpr size_t kTexts = 2000;
  std::vector<std::string> exact;
  std::vector<std::string> tags;
  std::vector<std::string> skeleton;
  std::vector<std::string> miss;
  for (size_t i = 0; i < 100 * kTexts; ++i) {
    skeleton.push_back(std::string(kSelect) + std::to_string(1'000'000 + i) + ")");
  }
  for (size_t i = 0; i < kTexts; ++i) {
    const std::string bound = std::string(kSelect) + "$1)";
    exact.push_back(bound + "/*" + traceparent(i) + "*/");
    tags.push_back(bound + "/*action='index',application='shop',controller='ShopWeb." +
                   "PostController'," + traceparent(i) + "*/");
    miss.push_back(std::string(kSelect) + "$1 AND c" + std::to_string(i) + " = 1)");
  }
  report("exact", exact, 200);
  report("tags", tags, 100);
  report("begin", std::vector<std::string>(kTexts, "begin"), 200);
  report("skeleton", skeleton, 1);
  report("miss", miss, 1);
}
