#include "outputs/history_chart.h"

#include <algorithm>
#include <chrono>
#include <string>

#include "outputs/assets.h"
#include "outputs/page_frame.h"
#include "outputs/text_layout.h"

namespace ectoscope {
namespace {

using std::chrono::hours;

constexpr int64_t kMostHours = 168;  // a week
constexpr int64_t kLeastHours = 24;

std::string hour_text(EventTime hour) {
  std::string text = format_rfc3339(hour).substr(0, 16);
  text[10] = ' ';
  return text;
}

int64_t hour_number(EventTime at) {
  return std::chrono::floor<hours>(at).time_since_epoch().count();
}

void row(HtmlWriter& html, const Control::HistoryHour& hour) {
  html.open("tr", {{"data-hour", std::to_string(hour_number(hour.hour))},
                   {"data-count", std::to_string(hour.occurrences)}});
  html.element("td", {}, hour_text(hour.hour));
  html.element("td", {{"class", "n"}}, with_commas(hour.occurrences));
  html.element("td", {{"class", "n"}}, readable(hour.database_time));
  html.close("tr");
}

}  // namespace

void write_history(HtmlWriter& html, const std::vector<Control::HistoryHour>& history,
                   EventTime now) {
  if (history.empty()) return;
  const int64_t last = std::max(hour_number(history.back().hour), hour_number(now));
  const int64_t count =
      std::clamp(last - hour_number(history.front().hour) + 1, kLeastHours, kMostHours);
  const int64_t first = last - count + 1;
  uint64_t most = 0;
  for (const Control::HistoryHour& hour : history)
    most = std::max(most, hour.occurrences);
  html.raw("<div class=\"chart\" hidden>");
  html.element("canvas",
               {{"data-table", "history-table"},
                {"data-first", std::to_string(first)},
                {"data-hours", std::to_string(count)},
                {"role", "img"},
                {"aria-label", "Occurrences by hour, at most " + with_commas(most) +
                                   " an hour; the table below has the figures"}},
               "");
  html.raw(
      "</div><details class=\"fold\"><summary>As a table</summary><div class=\"scroll\" "
      "tabindex=\"0\"><table id=\"history-table\"><thead><tr><th>Hour, UTC</th><th "
      "class=\"n\">Occurrences</th><th class=\"n\">Database time</th></tr></thead><tbody>");
  for (const Control::HistoryHour& hour : history) {
    if (hour_number(hour.hour) >= first) row(html, hour);
  }
  html.raw("</tbody></table></div></details>");
  html.element("script", {{"src", asset_url("chart.min.js")}, {"defer", ""}}, "");
  html.element("script", {{"src", asset_url("history.js")}, {"defer", ""}}, "");
}

}  // namespace ectoscope
