#include <algorithm>
#include <array>
#include <set>
#include <string>

#include "outputs/ignored_section.h"
#include "outputs/pages.h"
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

std::string message_page(const Snapshot& snapshot, std::string_view title, std::string_view text,
                         const PageOptions& options) {
  HtmlWriter html;
  html.element("h1", {}, title);
  html.element("p", {}, text);
  html.raw("<p><a href=\"/\">All findings</a></p>");
  return framed(title, PagePlace::kNone, snapshot, options, html.page());
}

}  // namespace ectoscope
