#include <algorithm>
#include <cmath>
#include <string>

#include "outputs/deploys_api.h"
#include "outputs/finding_actions.h"
#include "outputs/finding_words.h"
#include "outputs/history_chart.h"
#include "outputs/pages.h"
#include "outputs/plan_tree.h"
#include "outputs/text_layout.h"
#include "outputs/waterfall.h"

namespace ectoscope {
namespace {

constexpr size_t kShownRoutes = 20;
constexpr size_t kShownExamples = 20;

std::string evidence_figure(std::string_view name, double value) {
  if (name.ends_with("_ms")) return readable(Micros(static_cast<int64_t>(value * 1000)));
  if (name.ends_with("_ratio")) return decimal(value * 100, 1) + " %";
  if (name.ends_with("_bytes")) return readable_bytes(static_cast<uint64_t>(std::max(0.0, value)));
  return decimal(value, 2);
}

std::string evidence_name(std::string_view name) {
  for (const std::string_view unit : {"_ms", "_ratio", "_bytes"}) {
    if (name.ends_with(unit)) name.remove_suffix(unit.size());
  }
  std::string text(name);
  std::replace(text.begin(), text.end(), '_', ' ');
  return text;
}

bool is_web_address(std::string_view url) {
  return url.starts_with("https://") || url.starts_with("http://");
}

class FindingPageWriter {
 public:
  FindingPageWriter(const Snapshot& snapshot, const TrackedFinding& tracked,
                    const PageOptions& options)
      : snapshot_(snapshot), tracked_(tracked), finding_(tracked.finding), options_(options) {}

  std::string write(const std::vector<Control::HistoryHour>& history) {
    heading();
    figures();
    change();
    where();
    worst();
    plan();
    queries();
    past(history);
    evidence();
    examples();
    acknowledge();
    return html_.take();
  }

 private:
  void section(std::string_view id, std::string_view title) {
    html_.open("section", {{"aria-labelledby", std::string(id)}});
    html_.element("h2", {{"id", std::string(id)}}, title);
  }

  void heading() {
    html_.raw("<div class=\"crumbs\"><a href=\"/\">Findings</a></div><div class=\"heading\"><p>");
    severity_pill(html_, finding_.severity);
    html_.raw(" ");
    html_.element("span", {{"class", "kind"}}, kind_name(finding_.kind));
    if (!tracked_.active) html_.raw(" <span class=\"pill resolved\">resolved</span>");
    if (tracked_.active && tracked_.acknowledged_at) {
      html_.raw(" <span class=\"pill acknowledged\">acknowledged</span>");
    }
    if (!tracked_.team.empty()) {
      html_.raw(" ");
      html_.element("span", {{"class", "pill team"}}, tracked_.team);
    }
    html_.raw("</p>");
    html_.element("h1", {}, finding_.summary);
    html_.raw("</div>");
  }

  void figures() {
    html_.raw("<dl class=\"tiles\">");
    tile(html_, readable(finding_.database_time), "Database time", "in the last 24 h");
    if (finding_.saved.count() > 0) {
      tile(html_, readable(finding_.saved), "The change saves", "of it, about");
    }
    if (finding_.excess_statements > 0) {
      tile(html_, with_commas(finding_.excess_statements), "Needless queries",
           "of " + with_commas(finding_.statements));
    }
    tile(html_, with_commas(finding_.occurrences), "Occurrences",
         with_commas(std::max(tracked_.total_occurrences, finding_.occurrences)) + " in all");
    html_.raw("<div class=\"tile\"><dt>Last seen</dt><dd><b>");
    moment(html_, finding_.last_seen, snapshot_.taken_at);
    html_.raw("</b><small>first ");
    moment(html_, finding_.first_seen, snapshot_.taken_at);
    html_.raw("</small></dd></div></dl>");
    if (const Deploy* const deploy = deploy_before(snapshot_.deploys, finding_)) {
      html_.raw("<p class=\"note deploy\">Not seen before deploy ");
      html_.element("b", {}, deploy_name(*deploy));
      html_.raw(", ");
      moment(html_, deploy->at, snapshot_.taken_at);
      html_.raw("</p>");
    }
  }

  void change() {
    const Fix& fix = finding_.fix;
    if (fix.advice.empty() && fix.ecto.empty() && fix.migration.empty() && fix.sql.empty()) return;
    html_.raw(
        "<section class=\"change\" aria-labelledby=\"change\"><h2 id=\"change\">The change</h2>");
    if (!fix.advice.empty()) html_.element("p", {{"class", "advice"}}, fix.advice);
    if (!fix.ecto.empty()) code_block(html_, "fix-ecto", "Ecto", fix.ecto);
    if (!fix.migration.empty()) code_block(html_, "fix-migration", "Migration", fix.migration);
    if (!fix.sql.empty()) code_block(html_, "fix-sql", "SQL", fix.sql);
    verified(fix);
    html_.raw("</section>");
  }

  void verified(const Fix& fix) {
    if (!fix.verified) return;
    if (fix.verified->by == Verification::By::kPlan) {
      html_.raw("<p class=\"verified\">The logged plan shows that the index would help.</p>");
      return;
    }
    if (fix.verified->by != Verification::By::kHypopg) return;
    const double before = fix.verified->cost_before;
    const double after = fix.verified->cost_after;
    html_.raw(
        "<div class=\"verified\"><p>PostgreSQL's planner was asked with a hypothetical index "
        "(HypoPG): ");
    if (after > 0) {
      html_.element("b", {},
                    "×" + decimal(before / after, before / after < 10 ? 1 : 0) + " cheaper");
    }
    html_.raw(".</p><dl class=\"costs\"><div><dt>Cost before</dt><dd>");
    share_bar(html_, 1, "before");
    html_.text(decimal(before, 1));
    html_.raw("</dd></div><div><dt>after</dt><dd>");
    share_bar(html_, before > 0 ? after / before : 0, "after");
    html_.text(decimal(after, 1));
    html_.raw("</dd></div></dl></div>");
  }

  void fact(std::string_view name, std::string_view value) {
    if (value.empty()) return;
    html_.raw("<div>");
    html_.element("dt", {}, name);
    html_.element("dd", {}, value);
    html_.raw("</div>");
  }

  static std::string joined(const std::vector<std::string>& texts) {
    std::string all;
    for (const std::string& text : texts)
      all += (all.empty() ? "" : ", ") + text;
    return all;
  }

  void counted(std::string_view title,
               const std::vector<std::pair<std::string, uint64_t>>& places) {
    if (places.empty()) return;
    html_.raw("<div><dt>");
    html_.text(title);
    html_.raw("</dt><dd><ul class=\"plain\">");
    for (size_t i = 0; i < places.size() && i < kShownRoutes; ++i) {
      html_.raw("<li>");
      html_.element("code", {}, places[i].first);
      html_.element("small", {}, " " + count_of(places[i].second, "request", "requests"));
      html_.raw("</li>");
    }
    if (places.size() > kShownRoutes) {
      html_.element("li", {}, "and " + with_commas(places.size() - kShownRoutes) + " more");
    }
    html_.raw("</ul></dd></div>");
  }

  void where() {
    section("where", "Where");
    html_.raw("<dl class=\"facts\">");
    counted("Routes", finding_.routes);
    counted("Code", finding_.places);
    fact("Application", joined(finding_.applications));
    fact("Table", joined(finding_.tables));
    fact("Columns", joined(finding_.columns));
    fact("Database", finding_.database.empty() ? "not logged" : finding_.database);
    fact("Server", finding_.server);
    fact("Confidence",
         std::to_string(std::lround(finding_.confidence * 100)) + " %" + grouped_by());
    html_.raw("</dl></section>");
  }

  [[nodiscard]] std::string grouped_by() const {
    if (finding_.examples.empty()) return {};
    switch (finding_.examples[0].grouped_by) {
      case GroupedBy::kTraceparent:
        return ": statements carry a trace id";
      case GroupedBy::kTag:
        return ": statements carry a request tag";
      case GroupedBy::kTransaction:
        return ": statements of one transaction";
      case GroupedBy::kChain:
        return ": requests are told apart by how statements follow each other";
      case GroupedBy::kNone:
        break;
    }
    return {};
  }

  void worst() {
    if (finding_.examples.empty() || finding_.timeline.empty()) return;
    section("worst", "The worst request");
    const Example& example = finding_.examples[0];
    html_.raw("<p>");
    html_.text(count_of(example.statements, "query", "queries") + " in " +
               readable(example.duration) + ", ");
    moment(html_, example.started_at, snapshot_.taken_at);
    html_.raw(" ");
    trace(example.trace_id);
    html_.raw("</p>");
    write_waterfall(html_, tracked_);
    html_.raw("</section>");
  }

  void trace(const TraceId& id) {
    if (!id.known()) return;
    const std::string hex = to_hex(id);
    std::string url = options_.trace_url;
    const size_t at = url.find("{trace_id}");
    if (at == std::string::npos || !is_web_address(url)) {
      html_.element("code", {{"class", "trace"}}, hex);
      return;
    }
    url.replace(at, std::string_view("{trace_id}").size(), hex);
    html_.element("a", {{"class", "trace"}, {"href", url}, {"rel", "noreferrer"}}, "trace " + hex);
  }

  void plan() {
    if (!finding_.plan || finding_.plan->nodes.empty()) return;
    section("plan", "The plan");
    write_plan_tree(html_, *finding_.plan, table_of_fix(finding_));
    html_.raw("</section>");
  }

  void queries() {
    section("queries", finding_.parent_query ? "The queries" : "The query");
    if (finding_.parent_query) {
      code_block(html_, "query-parent", "First", finding_.parent_query->text);
    }
    code_block(html_, "query", finding_.parent_query ? "Then, for each of its rows" : "SQL",
               finding_.query.text);
    html_.raw("<dl class=\"facts\">");
    fact("Fingerprint", finding_.query.fingerprint);
    if (finding_.query.queryid)
      fact("pg_stat_statements queryid", std::to_string(*finding_.query.queryid));
    html_.raw("</dl></section>");
  }

  void past(const std::vector<Control::HistoryHour>& history) {
    if (history.empty()) return;
    section("history", "Occurrences by hour");
    write_history(html_, history, snapshot_.taken_at);
    html_.raw("</section>");
  }

  void evidence() {
    if (finding_.evidence.empty()) return;
    section("evidence", "Evidence");
    html_.raw("<dl class=\"facts\">");
    for (const auto& [name, value] : finding_.evidence)
      fact(evidence_name(name), evidence_figure(name, value));
    html_.raw("</dl></section>");
  }

  void examples() {
    if (finding_.examples.empty()) return;
    section("examples", "Examples, worst first");
    html_.raw(
        "<div class=\"scroll\" tabindex=\"0\"><table><thead><tr><th>When</th><th "
        "class=\"n\">Queries</th>"
        "<th class=\"n\">Took</th><th>Trace</th></tr></thead><tbody>");
    for (size_t i = 0; i < finding_.examples.size() && i < kShownExamples; ++i) {
      const Example& example = finding_.examples[i];
      html_.raw("<tr><td>");
      moment(html_, example.started_at, snapshot_.taken_at);
      html_.raw("</td>");
      html_.element("td", {{"class", "n"}}, with_commas(example.statements));
      html_.element("td", {{"class", "n"}}, readable(example.duration));
      html_.raw("<td>");
      trace(example.trace_id);
      html_.raw("</td></tr>");
    }
    html_.raw("</tbody></table></div></section>");
  }

  void acknowledge() {
    section("ack", "Acknowledge, or ignore");
    if (tracked_.acknowledged_at) {
      html_.raw("<p>");
      html_.text("Acknowledged by " + tracked_.acknowledged_by + " ");
      moment(html_, *tracked_.acknowledged_at, snapshot_.taken_at);
      if (!tracked_.acknowledged_why.empty()) html_.text(": " + tracked_.acknowledged_why);
      html_.raw("</p>");
    }
    html_.raw(
        "<p class=\"note\">Acknowledging says that somebody knows: the finding stays until it is "
        "mended, and leaves the list of open ones. Ignoring says that it is meant to be so: it "
        "leaves lists, metrics and alerts until somebody wants to hear of it again.</p>");
    action_form(html_, finding_.id,
                {{"/ack", "Acknowledge", "Acknowledged."},
                 {"/ignore", "Ignore", "Ignored; it leaves the lists in a moment."}});
    html_.raw("</section><p class=\"note id\">");
    html_.element("code", {}, finding_.id);
    html_.raw("</p>");
  }

  const Snapshot& snapshot_;
  const TrackedFinding& tracked_;
  const Finding& finding_;
  const PageOptions& options_;
  HtmlWriter html_;
};

}  // namespace

std::string finding_page(const Snapshot& snapshot, const TrackedFinding& tracked,
                         const std::vector<Control::HistoryHour>& history,
                         const PageOptions& options) {
  const std::string body = FindingPageWriter(snapshot, tracked, options).write(history);
  const std::string table = tracked.finding.tables.empty() ? "" : ": " + tracked.finding.tables[0];
  return framed(kind_name(tracked.finding.kind) + table, PagePlace::kFindings, snapshot, options,
                body);
}

}  // namespace ectoscope
