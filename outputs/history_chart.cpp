#include "outputs/history_chart.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <string>

#include "outputs/page_frame.h"
#include "outputs/text_layout.h"

namespace ectoscope {
namespace {

using std::chrono::hours;

constexpr int64_t kMostHours = 7 * 24;
constexpr int64_t kLeastHours = 24;
constexpr double kHeight = 80;
constexpr double kBar = 10;  // width with its gap

std::string hour_text(EventTime hour) {
  std::string text = format_rfc3339(hour).substr(0, 16);
  text[10] = ' ';
  return text + " UTC";
}

}  // namespace

void write_history(HtmlWriter& html, const std::vector<Control::HistoryHour>& history,
                   EventTime now) {
  if (history.empty()) return;
  std::map<EventTime, const Control::HistoryHour*> by_hour;
  uint64_t most = 1;
  for (const Control::HistoryHour& step : history) {
    by_hour[std::chrono::floor<hours>(step.hour)] = &step;
    most = std::max(most, step.occurrences);
  }
  const EventTime last =
      std::max(by_hour.rbegin()->first, EventTime(std::chrono::floor<hours>(now)));
  const int64_t known =
      std::chrono::duration_cast<hours>(last - by_hour.begin()->first).count() + 1;
  const int64_t count = std::clamp(known, kLeastHours, kMostHours);
  const EventTime first = last - hours(count - 1);
  const double width = kBar * static_cast<double>(count);
  html.open("svg", {{"class", "history"},
                    {"viewBox", "0 0 " + decimal(width, 0) + " " + decimal(kHeight, 0)},
                    {"preserveAspectRatio", "none"},
                    {"role", "img"},
                    {"aria-label", "Occurrences by hour, at most " + with_commas(most)}});
  for (int64_t i = 0; i < count; ++i) {
    const auto found = by_hour.find(first + hours(i));
    if (found == by_hour.end()) continue;
    const Control::HistoryHour& step = *found->second;
    const double height =
        std::max(2.0, kHeight * static_cast<double>(step.occurrences) / static_cast<double>(most));
    html.open("rect", {{"x", decimal(static_cast<double>(i) * kBar + 1, 0)},
                       {"y", decimal(kHeight - height, 2)},
                       {"width", decimal(kBar - 2, 0)},
                       {"height", decimal(height, 2)}});
    html.element("title", {},
                 hour_text(found->first) + ": " + count_of(step.occurrences, "time", "times") +
                     ", " + readable(step.database_time) + " in the database");
    html.close("rect");
  }
  html.close("svg");
  html.raw("<div class=\"scale\"><span>");
  html.text(hour_text(first));
  html.raw("</span><span>");
  html.text("at most " + with_commas(most) + " an hour");
  html.raw("</span><span>");
  html.text(hour_text(last));
  html.raw("</span></div>");
}

}  // namespace ectoscope
