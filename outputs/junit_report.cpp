#include "outputs/junit_report.h"

#include <set>
#include <string>

#include "findings/baseline.h"
#include "findings/gate.h"
#include "outputs/finding_words.h"
#include "outputs/html.h"
#include "outputs/report_notes.h"

namespace ectoscope {
namespace {

std::string details_of(const Finding& finding) {
  std::string text = finding.summary + "\n\n" + finding.query.text + "\n";
  if (finding.parent_query) text += "after " + finding.parent_query->text + "\n";
  text += "\nwhere: " + where_of(finding) + "\ncost: " + cost_of(finding) +
          "\nsure: " + certainty_of(finding) + "\n";
  if (const std::string worst = worst_of(finding); !worst.empty()) text += "worst: " + worst + "\n";
  if (!finding.fix.advice.empty()) text += "\n" + finding.fix.advice + "\n";
  for (const std::string& code : {finding.fix.ecto, finding.fix.migration, finding.fix.sql}) {
    if (!code.empty()) text += "\n" + code + "\n";
  }
  return text;
}

class JunitWriter {
 public:
  explicit JunitWriter(const AnalysisReport& report) : report_(report) {
    if (report.gate) failing_.insert(report.gate->failing.begin(), report.gate->failing.end());
  }

  std::string write() {
    for (const Finding& finding : report_.findings)
      finding_case(finding);
    for (const IgnoredFinding& ignored : report_.ignoring.findings) {
      open_case(ignored.finding);
      skipped("ignored by " + ignored.rule.where + ": " + ignored.rule.reason);
      cases_.close("testcase");
    }
    input_case();
    HtmlWriter page;
    page.raw("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    page.open("testsuite", {{"name", "ectoscope"},
                            {"tests", std::to_string(tests_)},
                            {"failures", std::to_string(failures_)},
                            {"errors", std::to_string(errors_)},
                            {"skipped", std::to_string(skips_)}});
    page.raw(cases_.page());
    page.raw("\n");
    page.close("testsuite");
    page.raw("\n");
    page.close("testsuites");
    page.raw("\n");
    return page.take();
  }

 private:
  void open_case(const Finding& finding) {
    ++tests_;
    cases_.raw("\n");
    cases_.open("testcase", {{"classname", "ectoscope." + finding.kind},
                             {"name", steady_summary(finding) + " " + finding.id}});
  }

  void skipped(const std::string& why) {
    ++skips_;
    cases_.empty("skipped", {{"message", why}});
  }

  void finding_case(const Finding& finding) {
    open_case(finding);
    if (is_known(report_, finding)) {
      skipped("known from the baseline");
    } else if (!report_.gate || failing_.contains(finding.id)) {
      ++failures_;
      cases_.element(
          "failure",
          {{"type", std::string(name_of(finding.severity))}, {"message", finding.summary}},
          details_of(finding));
    } else {
      cases_.element("system-out", {}, details_of(finding));
    }
    cases_.close("testcase");
  }

  void input_case() {
    ++tests_;
    cases_.raw("\n");
    cases_.open("testcase",
                {{"classname", "ectoscope"}, {"name", "the log shows every statement"}});
    if (const std::string blind = blindness(report_.input); !blind.empty()) {
      ++errors_;
      cases_.element("error", {{"type", "input"}, {"message", blind}}, blind);
    }
    cases_.close("testcase");
  }

  const AnalysisReport& report_;
  std::set<std::string> failing_;
  HtmlWriter cases_;
  size_t tests_ = 0;
  size_t failures_ = 0;
  size_t errors_ = 0;
  size_t skips_ = 0;
};

}  // namespace

void write_junit_report(const AnalysisReport& report, std::ostream& out) {
  out << JunitWriter(report).write();
}

}  // namespace ectoscope
