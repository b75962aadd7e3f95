#include <algorithm>
#include <cmath>
#include <string>

#include "outputs/pages.h"
#include "outputs/query_figures.h"
#include "outputs/text_layout.h"

namespace ectoscope {
namespace {

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

}  // namespace ectoscope
