#include "outputs/metrics.h"

#include <chrono>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "outputs/series_budget.h"
#include "tests/outputs/sample_snapshot.h"

namespace ectoscope {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string scrape(Metrics& metrics, const Snapshot& snapshot, std::string_view accept = "*/*") {
  return metrics.scrape(snapshot, accept).text;
}

size_t series_of(const std::string& text) {
  std::istringstream lines(text);
  size_t count = 0;
  for (std::string line; std::getline(lines, line);)
    count += line.empty() || line[0] == '#' ? 0 : 1;
  return count;
}

TEST(Metrics, SayWhatTheSnapshotSays) {
  Metrics metrics({"1.2.3", 2000});
  metrics.count_cut("request_timeout");
  const std::string text = scrape(metrics, *sample_snapshot());
  for (const char* line :
       {"ectoscope_build_info{version=\"1.2.3\"} 1\n",
        "ectoscope_up{server=\"main\"} 1\n",
        "ectoscope_log_bytes_read_total{server=\"main\"} 12400000\n",
        "ectoscope_records_dropped_total{server=\"main\",reason=\"forged\"} 2\n",
        "ectoscope_log_lag_seconds{server=\"main\"} 0.25\n",
        "ectoscope_statements_total{server=\"main\",database=\"shop_dev\",operation=\"select\"} "
        "20\n",
        "ectoscope_traces_total{server=\"main\",grouped_by=\"traceparent\"} 300\n",
        "ectoscope_findings{server=\"main\",database=\"shop_dev\",kind=\"n_plus_one_read\","
        "severity=\"critical\"} 1\n",
        "ectoscope_finding_occurrences_total{server=\"main\",database=\"shop_dev\","
        "kind=\"n_plus_one_read\"} 12\n",
        "ectoscope_finding_active{id=\"n_plus_one_read-5f0c2a9e7d3b1c44\",kind=\"n_plus_one_read\","
        "severity=\"critical\",server=\"main\",database=\"shop_dev\",team=\"checkout\"} 1\n",
        "ectoscope_excess_statements_total{server=\"main\"} 1188\n",
        "ectoscope_input_fidelity{server=\"main\",aspect=\"statements\"} 0.25\n",
        "ectoscope_detector_duration_seconds_count{detector=\"n_plus_one_read\"} 324\n",
        "ectoscope_config_last_reload_successful 1\n",
        "ectoscope_finding_alerting{id=\"n_plus_one_read-5f0c2a9e7d3b1c44\",kind=\"n_plus_one_"
        "read\","
        "severity=\"warning\",server=\"main\",database=\"shop_dev\",application=\"\",table="
        "\"posts\",team=\"checkout\"} 1\n",
        "ectoscope_alertmanager_up{alertmanager=\"http://am-1:9093\"} 1\n",
        "ectoscope_alertmanager_up{alertmanager=\"http://am-2:9093\"} 0\n",
        "ectoscope_alerts_queued{alertmanager=\"http://am-2:9093\"} 3\n",
        "ectoscope_alerts_sent_total{alertmanager=\"http://am-1:9093\"} 12\n",
        "ectoscope_alerts_failed_total{alertmanager=\"http://am-2:9093\"} 7\n",
        "ectoscope_alerts_dropped_total{alertmanager=\"http://am-2:9093\",reason=\"refused\"} 2\n",
        "ectoscope_http_clients_cut_total{reason=\"request_timeout\"} 1\n",
        "ectoscope_statement_duration_seconds_bucket{server=\"main\",database=\"shop_dev\","
        "operation=\"select\",le=\"0.1\"} 20\n"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
  EXPECT_THAT(text, HasSubstr("process_resident_memory_bytes "));
  EXPECT_THAT(text, Not(HasSubstr("\x1b[31m\n")));
  EXPECT_THAT(text, Not(HasSubstr("SELECT")));
}

TEST(Metrics, OpenMetricsHasExemplarsAndAnEnd) {
  Metrics metrics({"1.2.3", 2000});
  const MetricsText answer =
      metrics.scrape(*sample_snapshot(), "application/openmetrics-text;version=1.0.0,*/*;q=0.1");
  EXPECT_THAT(answer.content_type, testing::StartsWith("application/openmetrics-text"));
  EXPECT_THAT(answer.text, HasSubstr("# TYPE ectoscope_finding_occurrences counter\n"));
  EXPECT_THAT(answer.text,
              HasSubstr("kind=\"n_plus_one_read\"} 12.0 # "
                        "{trace_id=\"4bf92f3577b34da6a3ce929d0e0e4736\"} 1.0 1795300000.033000\n"));
  EXPECT_THAT(answer.text, HasSubstr("le=\"1.0\"}"));
  EXPECT_THAT(answer.text, HasSubstr("le=\"+Inf\"}"));
  EXPECT_THAT(answer.text, testing::EndsWith("\n# EOF\n"));
}

TEST(Metrics, StayWithinTheBudgetWhateverThereIs) {
  Metrics metrics({"1.2.3", 2000});
  auto snapshot = large_snapshot(100'000);
  ServerState& server = snapshot->servers[0];
  for (int i = 0; i < 5000; ++i) {
    StatementCounts counts = server.statements[0];
    counts.database = "tenant_" + std::to_string(i);
    server.statements.push_back(counts);
    server.occurrences[{counts.database, "slow_query"}] = 1;
  }
  auto alerting = sample_alerting();
  alerting->firing.resize(5000, alerting->firing[0]);
  for (size_t i = 0; i < alerting->firing.size(); ++i) {
    AlertLabels labels = *alerting->firing[i];
    labels["id"] += std::to_string(i);
    alerting->firing[i] = std::make_shared<const AlertLabels>(std::move(labels));
  }
  snapshot->alerting = alerting;
  scrape(metrics, *snapshot);
  const auto before = std::chrono::steady_clock::now();
  const std::string text = scrape(metrics, *snapshot);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - before;
  RecordProperty("scrape_ms", std::to_string(took.count() * 1000));
  EXPECT_LT(took.count(), 2.0);  // 0.2 s on a quiet machine; the rest is for a busy one
  EXPECT_LE(series_of(text), 2000U);
  EXPECT_THAT(text, HasSubstr("table=\"other\",team=\"other\"} 4800\n"));
  EXPECT_THAT(text,
              HasSubstr("ectoscope_finding_active{id=\"other\",kind=\"other\",severity="
                        "\"other\",server=\"other\",database=\"other\",team=\"other\"} 99800\n"));
  EXPECT_THAT(
      text,
      HasSubstr("ectoscope_series_overflow_total{metric=\"ectoscope_finding_active\"} 99800\n"));
  EXPECT_THAT(text, HasSubstr("ectoscope_statements_total{server=\"main\",database=\"other\","));
}

TEST(Metrics, EachIsInTheDocumentationAndEachOfItIs) {
  std::ifstream file(SOURCE_DIR "/docs/metrics.md");
  const std::string page{std::istreambuf_iterator<char>(file), {}};
  ASSERT_FALSE(page.empty());
  Metrics metrics({"1.2.3", 2000});
  metrics.count_cut("refused");
  std::set<std::string> documented;
  for (size_t at = page.find("| `"); at != std::string::npos; at = page.find("| `", at + 1)) {
    if (at != 0 && page[at - 1] == '\n')
      documented.insert(page.substr(at + 3, page.find('`', at + 3) - at - 3));
  }
  std::set<std::string> exported;
  std::istringstream lines(scrape(metrics, *sample_snapshot()));
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("# HELP ")) continue;
    const std::string name = line.substr(7, line.find(' ', 7) - 7);
    exported.insert(name);
    const std::string help = line.substr(8 + name.size());
    EXPECT_THAT(page, HasSubstr(help)) << name;
  }
  EXPECT_EQ(documented, exported);
}

TEST(ActiveFindings, StayAnHourOnceShown) {
  ActiveFindings active(2);
  auto snapshot = large_snapshot(3);
  const auto ids = [&] {
    std::vector<std::string> shown;
    for (const auto& item : active.choose(*snapshot).shown)
      shown.push_back(item.finding->finding.id.substr(31) + (item.active ? "" : "-"));
    return shown;
  };
  EXPECT_THAT(ids(), testing::ElementsAre("0", "1"));
  std::swap(snapshot->findings[0], snapshot->findings[2]);  // the third is the costliest now
  EXPECT_THAT(ids(), testing::ElementsAre("0", "1"));
  snapshot->findings.pop_back();  // the first is mended and forgotten
  snapshot->taken_at += std::chrono::minutes(59);
  EXPECT_THAT(ids(), testing::ElementsAre("0-", "1"));
  snapshot->taken_at += std::chrono::minutes(2);
  EXPECT_THAT(ids(), testing::ElementsAre("1", "2"));
  EXPECT_EQ(active.refused(), 1U);
}

TEST(LabelBudget, FirstComeStays) {
  LabelBudget budget(2);
  EXPECT_TRUE(budget.admit({"a", "b"}));
  EXPECT_TRUE(budget.admit({"ab", ""}));
  EXPECT_FALSE(budget.admit({"c", ""}));
  EXPECT_FALSE(budget.admit({"c", ""}));
  EXPECT_TRUE(budget.admit({"a", "b"}));
  EXPECT_EQ(budget.refused(), 1U);
}

}  // namespace
}  // namespace ectoscope
