// The forms that CI servers read, over a report with all that is hostile in it.
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "outputs/api_json.h"
#include "outputs/detector_pages.h"
#include "outputs/html.h"
#include "outputs/html_report.h"
#include "outputs/ignored_section.h"
#include "outputs/json_report.h"
#include "outputs/junit_report.h"
#include "outputs/markdown_report.h"
#include "outputs/report_notes.h"
#include "outputs/sarif_report.h"
#include "outputs/text_report.h"
#include "tests/golden.h"
#include "tests/outputs/sample.h"

namespace ectoscope {
namespace {

using testing::HasSubstr;
using testing::Not;

/// The sample with a gate, a baseline, ignored findings and an answer to --why.
AnalysisReport gated_report(QueryTable& queries) {
  AnalysisReport report = sample_report(queries);
  IgnoreRule rule;
  rule.where = ".ectoscope.yaml:3";
  rule.kind = "slow_query";
  rule.reason = "reports <may> take | their time";
  rule.owner = "billing";
  rule.last_day = "2027-03-31";
  report.ignoring.files = {".ectoscope.yaml"};
  Finding ignored = report.findings[1];
  ignored.id = "slow_query-0000000000000009";
  report.ignoring.findings = {{ignored, rule}};
  report.ignoring.expired = {rule};
  report.ignoring.unused = {rule};
  report.ignoring.statements = 3;
  report.ignoring.shapes = {{ignored.query, "shop_dev", 3, Micros(1500)}};
  Gate gate;
  gate.passed = false;
  gate.failing = {report.findings[0].id};
  gate.known = {report.findings[1].id};
  gate.gone = {{"slow_query-0000000000000007", "SELECT users"}};
  gate.blind = "The log has only a sample of the statements.";
  report.gate = gate;
  Explanation why;
  why.asked = "slow_query";
  why.answer = "1 of this kind reported, 1 ignored.";
  why.misses = {{"slow_query-0000000000000008", "slow_query", "shop_dev", ignored.query,
                 "detectors.slow_query.min_duration", 80'000, 100'000, "80ms", "100ms",
                 "the time of one execution", 7}};
  report.why = why;
  return report;
}

template <typename Write>
std::string written(const Write& write) {
  QueryTable queries(16);
  const AnalysisReport report = gated_report(queries);
  std::ostringstream out;
  write(report, queries, out);
  return out.str();
}

TEST(GateReports, TellsWhatStatementsDoNotSayOfTheirRequest) {
  using TraceIds = InputFidelity::TraceIds;
  InputFidelity fidelity;
  fidelity.statements = InputFidelity::Statements::kAll;
  fidelity.advice = {"ALTER SYSTEM SET compute_query_id = on;"};
  const auto told = [&](TraceIds trace_ids) {
    fidelity.trace_ids = trace_ids;
    const std::vector<std::string> lines = hidden_by(fidelity);
    EXPECT_EQ(lines.front(), fidelity.advice.front());
    return lines.size() == 2 ? lines.back() : "";
  };
  EXPECT_EQ(told(TraceIds::kAll), "");
  EXPECT_THAT(told(TraceIds::kSome), HasSubstr("carry no traceparent comment"));
  EXPECT_THAT(told(TraceIds::kStale), HasSubstr("prepare: :unnamed"));
  EXPECT_THAT(told(TraceIds::kNone), HasSubstr("deploy/ecto"));
  fidelity.statements = InputFidelity::Statements::kNone;
  EXPECT_EQ(told(TraceIds::kNone), "") << "statements first";
}

TEST(GateReports, Json) {
  expect_golden("outputs/gate.json", written([](const auto& report, const auto&, auto& out) {
                  write_json_report(report, "0.1.0", out);
                }));
}

TEST(GateReports, Text) {
  expect_golden("outputs/gate.txt", written([](const auto& report, const auto& queries, auto& out) {
                  write_text_report(report, queries, {}, out);
                }));
}

TEST(GateReports, Sarif) {
  const std::string text = written(
      [](const auto& report, const auto&, auto& out) { write_sarif_report(report, "0.1.0", out); });
  EXPECT_THAT(text, HasSubstr(R"({"uri": "lib/shop/users.ex", "uriBaseId": "%SRCROOT%"})"));
  EXPECT_THAT(text, HasSubstr(R"("region": {"startLine": 12})"));
  EXPECT_THAT(text, HasSubstr(R"("uri": "lib/shop/%3Cadmin%3E.ex")"));
  EXPECT_THAT(text, HasSubstr(R"("ectoscopeFindingId/v1": "n_plus_one_read-5f0c2a9e7d3b1c44")"));
  EXPECT_THAT(text, HasSubstr(R"("kind": "external", "status": "accepted", "justification": )"));
  EXPECT_THAT(text, HasSubstr(R"("baselineState": "unchanged")"));
  EXPECT_THAT(text, HasSubstr(R"("toolExecutionNotifications")"));
}

TEST(GateReports, Junit) {
  expect_golden("outputs/gate.junit.xml", written([](const auto& report, const auto&, auto& out) {
                  write_junit_report(report, out);
                }));
}

TEST(GateReports, Markdown) {
  expect_golden("outputs/gate.md", written([](const auto& report, const auto&, auto& out) {
                  write_markdown_report(report, out);
                }));
}

TEST(GateReports, Html) {
  expect_golden("outputs/gate.html",
                written([](const auto& report, const auto& queries, auto& out) {
                  write_html_report(report, queries, "0.1.0", out);
                }));
}

TEST(GateReports, NoneLetsTheLogIn) {
  for (const auto& text :
       {written([](const auto&r, const auto&q, auto&out) { write_html_report(r, q, "1", out); }),
        written([](const auto&r, const auto&, auto&out) { write_junit_report(r, out); }),
        written([](const auto&r, const auto&, auto&out) { write_markdown_report(r, out); })}) {
    EXPECT_THAT(text, Not(HasSubstr("\x1b")));
    EXPECT_THAT(text, Not(HasSubstr("\xE2\x80\xAE")));
    EXPECT_THAT(text, Not(HasSubstr("<may>")));
    EXPECT_THAT(text, Not(HasSubstr("<admin>")));
    EXPECT_THAT(text, Not(HasSubstr("<script")));
  }
}

TEST(Daemon, TellsOnceWhatItsServersIgnore) {
  QueryTable queries(16);
  Ignoring ignoring = gated_report(queries).ignoring;
  Snapshot snapshot;
  snapshot.servers.resize(3);
  snapshot.servers[0].ignoring = std::make_shared<Ignoring>(ignoring);
  ignoring.findings.clear();  // on the other one the rule had nothing to do
  ignoring.unused = {snapshot.servers[0].ignoring->findings[0].rule};
  snapshot.servers[1].ignoring = std::make_shared<Ignoring>(ignoring);
  const Ignoring all = all_ignored(snapshot);
  EXPECT_EQ(all.findings.size(), 1U);
  EXPECT_EQ(all.expired.size(), 1U);
  EXPECT_TRUE(all.unused.empty());
  EXPECT_EQ(all.statements, 6U);
  HtmlWriter html;
  ignored_section(html, snapshot);
  EXPECT_THAT(html.page(), HasSubstr("<summary>Ignored: 1 finding</summary>"));
  EXPECT_THAT(html.page(), HasSubstr("reports &lt;may&gt; take | their time"));
  const std::string json = findings_json(snapshot, {}, "0.1.0");
  EXPECT_THAT(json,
              HasSubstr("\"ignored\": [\n    {\n      \"id\": \"slow_query-0000000000000009\""));
  EXPECT_THAT(json, HasSubstr("\"statements\": 6"));
  HtmlWriter none;
  ignored_section(none, Snapshot{});
  EXPECT_EQ(none.page(), "");
}

TEST(Markdown, EscapesWhatWouldBeMarkup) {
  struct {
    const char* text;
    const char* escaped;
  } const cases[] = {
      {"n_plus_one_read", "n_plus_one_read"},
      {"_a_", "&#95;a&#95;"},
      {"a|b", "a&#124;b"},
      {"`x`", "&#96;x&#96;"},
      {"@all", "&#64;all"},
      {"#7", "&#35;7"},
      {"<b>", "&#60;b&#62;"},
      {"a: b", "a: b"},
      {":tada:", "&#58;tada:"},
      {"a\nb", "a b"},
      {"[x](y)", "&#91;x&#93;(y)"},
  };
  for (const auto& one : cases)
    EXPECT_EQ(markdown_escaped(one.text), one.escaped) << one.text;
}

TEST(Markdown, StaysShortEnoughForAComment) {
  QueryTable queries(16);
  AnalysisReport report = gated_report(queries);
  for (int i = 0; i < 2000; ++i) {
    report.findings.push_back(report.findings[0]);
    report.ignoring.findings.push_back(report.ignoring.findings[0]);
  }
  std::ostringstream out;
  write_markdown_report(report, out);
  EXPECT_LT(out.str().size(), 65'536U);
  EXPECT_THAT(out.str(), HasSubstr(" more\n"));
  EXPECT_THAT(out.str(), HasSubstr("have no details here"));
}

TEST(DetectorPages, AreInTheBinary) {
  EXPECT_THAT(std::string(detector_page("n_plus_one_read")), HasSubstr("## The fix"));
  EXPECT_EQ(detector_page("no_such_kind"), "");
  EXPECT_THAT(problem_of("grows_with_data"), testing::StartsWith("The same test ran twice"));
  EXPECT_THAT(problem_of("grows_with_data"), Not(HasSubstr("\n")));
}

TEST(Notes, GateIsOneSentence) {
  Gate gate;
  EXPECT_EQ(gate_sentence(gate), "passed: no finding of severity warning or worse");
  gate.known = {"a"};
  EXPECT_EQ(gate_sentence(gate),
            "passed: no new finding of severity warning or worse, 1 known from the baseline");
  gate.failing = {"b"};
  gate.passed = false;
  EXPECT_EQ(gate_sentence(gate),
            "FAILED: 1 new finding of severity warning or worse, 1 known from the baseline");
  gate.blind = "x";
  EXPECT_THAT(gate_sentence(gate), HasSubstr("does not show enough, and 1 new finding"));
}

}  // namespace
}  // namespace ectoscope
