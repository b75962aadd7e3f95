#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <string>

#include "outputs/ignored_section.h"
#include "outputs/pages.h"
#include "outputs/query_figures.h"
#include "outputs/text_layout.h"

namespace ectoscope {
namespace {

constexpr size_t kPageOfFindings = 50;
constexpr size_t kMostChoices = 200;  // of one filter's list

/// The link to the page `offset` findings away; empty when there is none.
std::string link_to(FindingFilter filter, size_t offset) {
  filter.offset = offset;
  return "/" + url_query(filter, default_page_filter());
}

void choice(HtmlWriter& html, std::string_view name, std::string_view title,
            const std::set<std::string>& values, const std::string& chosen) {
  if (values.size() < 2 && chosen.empty()) return;
  html.raw("<label>");
  html.text(title);
  html.open("select", {{"name", std::string(name)}});
  html.raw("<option value=\"\">any</option>");
  std::set<std::string> all = values;
  if (!chosen.empty()) all.insert(chosen);
  for (const std::string& value : all) {
    const std::string shown = name == "kind" ? kind_name(value) : value;
    if (value == chosen) {
      html.element("option", {{"value", value}, {"selected", ""}}, shown);
    } else {
      html.element("option", {{"value", value}}, shown);
    }
  }
  html.raw("</select></label>");
}

void insert_bounded(std::set<std::string>& values, const std::string& value) {
  if (!value.empty() && values.size() < kMostChoices) values.insert(value);
}

void states(HtmlWriter& html, const FindingFilter& filter) {
  constexpr std::array kShown = {FindingFilter::State::kActive, FindingFilter::State::kOpen,
                                 FindingFilter::State::kAcknowledged,
                                 FindingFilter::State::kResolved, FindingFilter::State::kAll};
  html.raw("<nav class=\"tabs\" aria-label=\"State\">");
  for (const FindingFilter::State state : kShown) {
    FindingFilter other = filter;
    other.state = state;
    if (state == filter.state) {
      html.element("a", {{"href", link_to(other, 0)}, {"aria-current", "true"}}, name_of(state));
    } else {
      html.element("a", {{"href", link_to(other, 0)}}, name_of(state));
    }
  }
  html.raw("</nav>");
}

void filters(HtmlWriter& html, const Snapshot& snapshot, const FindingFilter& filter) {
  std::set<std::string> kinds;
  std::set<std::string> databases;
  std::set<std::string> servers;
  std::set<std::string> teams;
  for (const auto& tracked : snapshot.findings) {
    insert_bounded(kinds, tracked->finding.kind);
    insert_bounded(databases, tracked->finding.database);
    insert_bounded(servers, tracked->finding.server);
    insert_bounded(teams, tracked->team);
  }
  html.raw("<form class=\"filters\" method=\"get\" action=\"/\" role=\"search\">");
  if (filter.state != default_page_filter().state) {
    html.empty(
        "input",
        {{"type", "hidden"}, {"name", "state"}, {"value", std::string(name_of(filter.state))}});
  }
  html.raw("<label class=\"grow\">Search");
  html.empty("input", {{"type", "search"},
                       {"name", "q"},
                       {"value", filter.text},
                       {"maxlength", "200"},
                       {"placeholder", "table, route, query"}});
  html.raw("</label>");
  choice(html, "kind", "Kind", kinds, filter.kind);
  choice(html, "severity", "Severity", {"critical", "info", "warning"},
         filter.severity ? std::string(name_of(*filter.severity)) : "");
  choice(html, "database", "Database", databases, filter.database);
  choice(html, "server", "Server", servers, filter.server);
  choice(html, "team", "Team", teams, filter.team);
  html.raw("<button type=\"submit\">Filter</button>");
  if (!url_query(filter, default_page_filter()).empty()) html.raw("<a href=\"/\">Clear</a>");
  html.raw("</form>");
}

void overview(HtmlWriter& html, const Snapshot& snapshot) {
  uint64_t active = 0;
  uint64_t critical = 0;
  uint64_t excess = 0;
  Micros saved{0};
  for (const auto& tracked : snapshot.findings) {
    if (!tracked->active) continue;
    ++active;
    critical += tracked->finding.severity == Severity::kCritical ? 1 : 0;
    excess += tracked->finding.excess_statements;
    saved += tracked->finding.saved;
  }
  html.raw("<dl class=\"tiles\">");
  tile(html, with_commas(active), "Active findings", with_commas(critical) + " critical");
  tile(html, with_commas(excess), "Needless queries", "in the last 24 h");
  tile(html, readable(saved), "Database time to save", "in the last 24 h");
  html.raw("</dl>");
}

std::string place_of(const Finding& finding) {
  std::string place;
  if (!finding.routes.empty()) {
    place = finding.routes[0].first;
    if (finding.routes.size() > 1)
      place += " and " + with_commas(finding.routes.size() - 1) + " more";
  } else if (!finding.places.empty()) {
    place = finding.places[0].first;
  } else if (!finding.applications.empty()) {
    place = finding.applications[0];
  }
  if (!finding.database.empty()) place += (place.empty() ? "" : " · ") + finding.database;
  return place;
}

/// What can be saved where that is known, else what it takes.
Micros cost_of(const Finding& finding) {
  return finding.saved.count() > 0 ? finding.saved : finding.database_time;
}

void cost_cell(HtmlWriter& html, const Finding& finding, Micros most) {
  const Micros cost = cost_of(finding);
  html.raw("<div class=\"cost\">");
  html.element("b", {}, readable(cost));
  const double share =
      most.count() > 0 ? static_cast<double>(cost.count()) / static_cast<double>(most.count()) : 0;
  share_bar(html, share, "beside the costliest finding");
  html.element("small", {},
               finding.saved.count() > 0 ? "to save of " + readable(finding.database_time)
                                         : std::string("in the database"));
  html.raw("</div>");
}

void finding_row(HtmlWriter& html, const TrackedFinding& tracked, Micros most, EventTime now) {
  const Finding& finding = tracked.finding;
  html.open("li", {{"class", tracked.active ? "finding" : "finding gone"}});
  html.raw("<div class=\"what\"><p>");
  severity_pill(html, finding.severity);
  html.raw(" ");
  html.element("span", {{"class", "kind"}}, kind_name(finding.kind));
  if (!tracked.active) html.raw(" <span class=\"pill resolved\">resolved</span>");
  if (tracked.active && tracked.acknowledged_at) {
    html.raw(" <span class=\"pill acknowledged\">acknowledged</span>");
  }
  if (!tracked.team.empty()) {
    html.raw(" ");
    html.element("span", {{"class", "pill team"}}, tracked.team);
  }
  html.raw("</p>");
  html.element("a", {{"href", "/findings/" + url_escaped(finding.id)}}, finding.summary);
  html.element("p", {{"class", "place"}}, place_of(finding));
  html.raw("</div>");
  cost_cell(html, finding, most);
  html.raw("<div class=\"often\">");
  html.element("b", {}, with_commas(finding.occurrences));
  html.raw("<small>seen ");
  moment(html, finding.last_seen, now);
  html.raw("</small></div></li>");
}

void nothing_found(HtmlWriter& html, const Snapshot& snapshot) {
  if (snapshot.findings.empty()) {
    const bool reading = std::any_of(snapshot.servers.begin(), snapshot.servers.end(),
                                     [](const ServerState& server) { return server.records > 0; });
    empty_state(html, "No findings yet",
                reading ? "The log is being read, and nothing wrong was seen in it so far. What "
                          "the log's settings hide is on the page Sources."
                        : "No log record was read yet: see the page Sources.");
    return;
  }
  empty_state(html, "Nothing matches", "No finding is like that. Clear the filter to see all.");
}

std::string drops_of(const ServerState& server) {
  std::string text;
  for (const auto& [reason, count] : server.dropped)
    text += (text.empty() ? "" : ", ") + with_commas(count) + " " + reason;
  return text.empty() ? "nothing" : text;
}

std::string_view words_for(InputFidelity::Statements statements) {
  switch (statements) {
    case InputFidelity::Statements::kAll:
      return "all are logged";
    case InputFidelity::Statements::kSampled:
      return "a sample is logged";
    case InputFidelity::Statements::kSlowOnly:
      return "only slow ones are logged";
    case InputFidelity::Statements::kNone:
      break;
  }
  return "none are logged";
}

std::string_view words_for(InputFidelity::TraceIds trace_ids) {
  switch (trace_ids) {
    case InputFidelity::TraceIds::kAll:
      return "on all statements";
    case InputFidelity::TraceIds::kSome:
      return "on some statements";
    case InputFidelity::TraceIds::kStale:
      return "stale: prepared statements keep an old request's";
    case InputFidelity::TraceIds::kNone:
      break;
  }
  return "none: requests are told apart by how statements follow each other";
}

void fact(HtmlWriter& html, std::string_view name, std::string_view value, bool good) {
  html.raw("<div>");
  html.element("dt", {}, name);
  html.element("dd", {{"class", good ? "" : "lacking"}}, value);
  html.raw("</div>");
}

void source_list(HtmlWriter& html, const Snapshot& snapshot, const ServerState& server) {
  html.raw("<h3>Sources</h3><ul class=\"plain sources\">");
  for (const SourceState& source : snapshot.sources) {
    if (source.server != server.server) continue;
    html.open("li", {{"class", source.up ? "" : "down"}});
    html.element("code", {}, source.name);
    if (source.size > 0) {
      html.element("small", {},
                   " " + readable_bytes(source.position) + " of " + readable_bytes(source.size));
    }
    if (source.last_event) {
      html.raw(" <small>last record ");
      moment(html, *source.last_event, snapshot.taken_at);
      html.raw("</small>");
    }
    if (!source.problem.empty()) html.element("p", {{"class", "problem"}}, source.problem);
    html.raw("</li>");
  }
  html.raw("</ul>");
}

void what_the_log_shows(HtmlWriter& html, const Snapshot& snapshot, const ServerState& server) {
  html.raw("<h3>What the log shows</h3><dl class=\"facts\">");
  const InputFidelity& fidelity = server.fidelity;
  fact(html, "Statements", words_for(fidelity.statements),
       fidelity.statements == InputFidelity::Statements::kAll);
  fact(html, "Parameters", fidelity.parameters ? "logged" : "not logged", fidelity.parameters);
  fact(html, "Plans", fidelity.plans ? "logged" : "not logged", fidelity.plans);
  fact(html, "Trace ids", words_for(fidelity.trace_ids),
       fidelity.trace_ids == InputFidelity::TraceIds::kAll);
  fact(html, "Skipped or only partly read", drops_of(server), server.dropped.empty());
  html.raw("</dl>");
  if (!fidelity.advice.empty()) {
    html.raw("<h3>What would show more</h3>");
    for (size_t i = 0; i < fidelity.advice.size(); ++i) {
      const auto number = static_cast<size_t>(&server - snapshot.servers.data());
      code_block(html, "advice-" + std::to_string(number) + "-" + std::to_string(i),
                 "Advice " + std::to_string(i + 1), fidelity.advice[i]);
    }
  }
}

void server_card(HtmlWriter& html, const Snapshot& snapshot, const ServerState& server) {
  html.raw("<section class=\"card\"><h2>");
  html.text(server.server);
  html.raw(server.up ? " <span class=\"pill ok\">up</span>"
                     : " <span class=\"pill critical\">down</span>");
  html.raw("</h2><dl class=\"tiles\">");
  tile(html, readable_bytes(server.bytes), "Read", with_commas(server.records) + " records");
  tile(html, server.lag_seconds < 1 ? "none" : decimal(server.lag_seconds, 1) + " s", "Lag",
       "behind the log");
  uint64_t statements = 0;
  for (const StatementCounts& counts : server.statements)
    statements += counts.durations.count;
  tile(html, with_commas(statements), "Statements",
       with_commas(server.excess_statements) + " needless");
  tile(html, with_commas(server.open_traces), "Open requests");
  html.raw("</dl>");
  source_list(html, snapshot, server);
  what_the_log_shows(html, snapshot, server);
  html.raw("</section>");
}

void query_row(HtmlWriter& html, const QueryStatistics& query, double seconds) {
  const QueryFigures figures = figures_of(query, seconds);
  const auto ms = [](double value) {
    return readable(Micros(static_cast<int64_t>(std::llround(value * 1000))));
  };
  html.raw("<tr><td class=\"query\">");
  html.element("b", {}, query.query.summary);
  html.element("small", {}, " " + query.database);
  html.raw("<details><summary>SQL</summary>");
  html.element("pre", {{"tabindex", "0"}}, query.query.text);
  html.raw("</details></td><td class=\"time\">");
  const std::string share = decimal(figures.share * 100, 1) + " %";
  share_bar(html, figures.share, share + " of the time of all queries");
  html.element("span", {}, share);
  html.raw("</td>");
  html.element("td", {{"class", "n"}}, with_commas(query.durations.count));
  html.element("td", {{"class", "n"}}, ms(figures.total_ms));
  html.element("td", {{"class", "n"}}, ms(figures.mean_ms));
  html.element("td", {{"class", "n"}}, ms(figures.p95_ms));
  html.element("td", {{"class", "n"}}, ms(figures.max_ms));
  html.raw("</tr>");
}

std::string queries_link(const QueryFilter& filter, size_t offset) {
  std::string link = "/queries?limit=" + std::to_string(filter.limit);
  if (!filter.server.empty()) link += "&server=" + url_escaped(filter.server);
  if (!filter.database.empty()) link += "&database=" + url_escaped(filter.database);
  return link + "&offset=" + std::to_string(offset);
}

}  // namespace

FindingFilter default_page_filter() {
  FindingFilter filter;
  filter.state = FindingFilter::State::kActive;
  filter.limit = kPageOfFindings;
  return filter;
}

std::string findings_page(const Snapshot& snapshot, const FindingFilter& filter,
                          const PageOptions& options) {
  HtmlWriter html;
  html.raw("<h1>Findings</h1>");
  overview(html, snapshot);
  states(html, filter);
  filters(html, snapshot, filter);
  const FindingPage page = select_findings(snapshot, filter);
  if (page.findings.empty()) {
    nothing_found(html, snapshot);
  } else {
    Micros most{0};
    for (const auto& tracked : snapshot.findings)
      most = std::max(most, cost_of(tracked->finding));
    html.raw("<ol class=\"findings\">");
    for (const auto& tracked : page.findings)
      finding_row(html, *tracked, most, snapshot.taken_at);
    html.raw("</ol>");
    const size_t end = filter.offset + page.findings.size();
    pager(html, {filter.offset, page.findings.size(), page.total,
                 filter.offset == 0
                     ? ""
                     : link_to(filter, filter.offset - std::min(filter.offset, filter.limit)),
                 end < page.total ? link_to(filter, end) : ""});
  }
  ignored_section(html, snapshot);
  return framed("Findings", PagePlace::kFindings, snapshot, options, html.page());
}

std::string queries_page(const Snapshot& snapshot, const QueryFilter& filter,
                         const PageOptions& options) {
  HtmlWriter html;
  html.raw("<h1>Queries</h1><p class=\"note\">By the database time that they took together.</p>");
  const double seconds = all_seconds(snapshot);
  size_t total = 0;
  size_t shown = 0;
  HtmlWriter rows;
  for (const auto& query : snapshot.queries) {
    if (!filter.matches(*query)) continue;
    const size_t place = total++;
    if (place < filter.offset || shown >= filter.limit) continue;
    ++shown;
    query_row(rows, *query, seconds);
  }
  if (shown == 0) {
    empty_state(html, "No queries", "None was read yet, or none is like that.");
  } else {
    html.raw(
        "<div class=\"scroll\" tabindex=\"0\"><table "
        "class=\"wide\"><thead><tr><th>Query</th><th>Share</th>"
        "<th class=\"n\">Calls</th><th class=\"n\">Total</th><th class=\"n\">Mean</th>"
        "<th class=\"n\">p95</th><th class=\"n\">Max</th></tr></thead><tbody>");
    html.raw(rows.page());
    html.raw("</tbody></table></div>");
    const size_t end = filter.offset + shown;
    pager(html, {filter.offset, shown, total,
                 filter.offset == 0
                     ? ""
                     : queries_link(filter, filter.offset - std::min(filter.offset, filter.limit)),
                 end < total ? queries_link(filter, end) : ""});
  }
  return framed("Queries", PagePlace::kQueries, snapshot, options, html.page());
}

std::string sources_page(const Snapshot& snapshot, const PageOptions& options) {
  HtmlWriter html;
  html.raw("<h1>Sources</h1>");
  if (snapshot.servers.empty()) {
    empty_state(html, "No server yet", "The daemon has not looked at its sources yet.");
  }
  for (const ServerState& server : snapshot.servers)
    server_card(html, snapshot, server);
  return framed("Sources", PagePlace::kSources, snapshot, options, html.page());
}

std::string message_page(const Snapshot& snapshot, std::string_view title, std::string_view text,
                         const PageOptions& options) {
  HtmlWriter html;
  html.element("h1", {}, title);
  html.element("p", {}, text);
  html.raw("<p><a href=\"/\">All findings</a></p>");
  return framed(title, PagePlace::kNone, snapshot, options, html.page());
}

}  // namespace ectoscope
