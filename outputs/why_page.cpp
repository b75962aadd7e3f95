#include <map>
#include <string>

#include "outputs/pages.h"
#include "outputs/text_layout.h"

namespace ectoscope {
namespace {

void kinds(HtmlWriter& html, const NearlyFound& found, const std::string& kind) {
  std::map<std::string, size_t> counts;
  for (const Miss& miss : found.misses)
    ++counts[miss.kind];
  html.raw("<nav class=\"tabs\" aria-label=\"Kind\">");
  const auto link = [&](const std::string& href, bool here, const std::string& text) {
    if (here) {
      html.element("a", {{"href", href}, {"aria-current", "true"}}, text);
    } else {
      html.element("a", {{"href", href}}, text);
    }
  };
  link("/why", kind.empty(), "all");
  for (const auto& [name, count] : counts) {
    link("/why?kind=" + url_escaped(name), name == kind,
         kind_name(name) + " (" + std::to_string(count) + ")");
  }
  html.raw("</nav>");
}

void row(HtmlWriter& html, const Miss& miss) {
  html.raw("<tr><td class=\"query\">");
  html.element("b", {}, miss.query.summary.empty() ? "a request" : miss.query.summary);
  if (!miss.database.empty()) html.element("small", {}, " " + miss.database);
  if (!miss.query.text.empty()) {
    html.raw("<details><summary>SQL</summary>");
    html.element("pre", {{"tabindex", "0"}}, miss.query.text);
    html.raw("</details>");
  }
  html.raw("</td>");
  html.element("td", {}, kind_name(miss.kind));
  html.open("td");
  html.element("p", {}, miss.why);
  if (!miss.option.empty()) html.element("code", {}, miss.option);
  html.close("td");
  html.element("td", {{"class", "n"}}, miss.seen);
  html.element("td", {{"class", "n"}}, miss.threshold);
  html.element("td", {{"class", "n"}}, with_commas(miss.times));
  html.raw("</tr>");
}

}  // namespace

std::string why_page(const Snapshot& snapshot, const NearlyFound& found, const std::string& kind,
                     const PageOptions& options) {
  HtmlWriter html;
  html.raw("<h1>Why not?</h1>");
  std::string since = format_rfc3339(found.since).substr(0, 16);
  since[10] = ' ';
  html.element("p", {{"class", "note"}},
               "What detectors looked at and let go since " + since +
                   " UTC, nearest to its threshold first: each can be moved by the setting it "
                   "names.");
  kinds(html, found, kind);
  HtmlWriter rows;
  for (const Miss& miss : found.misses) {
    if (kind.empty() || miss.kind == kind) row(rows, miss);
  }
  if (rows.page().empty()) {
    empty_state(html, "Nothing was near",
                "No query came near a threshold: nothing of this kind was seen at all, or it was "
                "enough for a finding.");
  } else {
    html.raw(
        "<div class=\"scroll\" tabindex=\"0\"><table class=\"wide\"><thead><tr><th>Query</th>"
        "<th>Kind</th><th>What was missing</th><th class=\"n\">Nearest</th><th "
        "class=\"n\">Wanted</th><th class=\"n\">Times</th></tr></thead><tbody>");
    html.raw(rows.page());
    html.raw("</tbody></table></div>");
  }
  return framed("Why not?", PagePlace::kWhy, snapshot, options, html.page());
}

}  // namespace ectoscope
