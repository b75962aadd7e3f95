// CPU of one scrape over a daemon's full memory: 100,000 findings and as many shapes.
//
//   scrape_bench [COUNT]       prints what a scrape costs, and its series;
//   ends with 1 above 200 ms or above the budget
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <string>

#include "core/snapshot.h"
#include "outputs/metrics.h"

namespace {

constexpr double kMostMs = 200;
constexpr long kBudget = 2000;

double cpu_ms() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

/// Many databases, kinds and tables, as of many tenants.
ectoscope::Snapshot snapshot_of(size_t count) {
  ectoscope::Snapshot snapshot;
  snapshot.taken_at = ectoscope::EventTime(std::chrono::hours(500'000));
  snapshot.servers.emplace_back();
  snapshot.servers[0].server = "main";
  for (size_t i = 0; i < count; ++i) {
    const std::string number = std::to_string(i);
    auto tracked = std::make_shared<ectoscope::TrackedFinding>();
    tracked->finding.kind = "kind_" + std::to_string(i % 25);
    tracked->finding.id = tracked->finding.kind + "-" + number;
    tracked->finding.server = "main";
    tracked->finding.database = "tenant_" + std::to_string(i % 5000);
    tracked->finding.summary = "table_" + number + " is read once for each row";
    tracked->team = "team_" + std::to_string(i % 40);
    snapshot.findings.push_back(std::move(tracked));
    auto query = std::make_shared<ectoscope::QueryStatistics>();
    query->server = "main";
    query->database = "tenant_" + std::to_string(i % 5000);
    query->query.text = "SELECT a FROM table_" + number;
    query->durations.add(ectoscope::Micros(1000));
    snapshot.queries.push_back(std::move(query));
  }
  return snapshot;
}

}  // namespace

int main(int argc, char** argv) {
  const size_t count = argc > 1 ? static_cast<size_t>(std::atol(argv[1])) : 100'000;
  const ectoscope::Snapshot snapshot = snapshot_of(count);
  ectoscope::Metrics metrics({"bench", kBudget});
  double worst = 0;
  long series = 0;
  for (int i = 0; i < 5; ++i) {
    const double before = cpu_ms();
    const std::string text = metrics.scrape(snapshot, "").text;
    worst = std::max(worst, cpu_ms() - before);
    series = 0;
    for (size_t at = 0; at < text.size(); at = text.find('\n', at) + 1)
      series += text[at] == '#' ? 0 : 1;
  }
  std::printf("scrape of %zu findings and shapes: %.1f ms of CPU at worst of 5, %ld series\n",
              count, worst, series);
  return worst <= kMostMs && series <= kBudget ? 0 : 1;
}
