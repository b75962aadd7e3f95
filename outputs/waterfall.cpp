#include "outputs/waterfall.h"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "outputs/page_frame.h"
#include "outputs/text_layout.h"

namespace ectoscope {
namespace {

constexpr double kWidth = 1000;      // of the strip, in its own units
constexpr double kLeastWidth = 2;    // of a bar, so that it is seen
constexpr size_t kLeastRepeats = 5;  // of another query, to be a loop of its own
constexpr size_t kHead = 9;          // rows before the fold
constexpr size_t kTail = 2;          // and after it
constexpr double kNotableGap = 0.1;  // of the whole: a gap that is worth a word

struct Gap {
  Micros from{0};
  Micros to{0};
};

struct Picture {
  Micros end{1};
  Micros busy{0};
  std::vector<Gap> gaps;
};

Picture picture_of(const std::vector<TimelineStep>& steps) {
  Picture picture;
  Micros reached{0};
  for (const TimelineStep& step : steps) {
    const Micros from = std::max(step.offset, Micros{0});
    const Micros to = from + step.duration;
    if (from > reached) picture.gaps.push_back({reached, from});
    if (to > reached) {
      picture.busy += to - std::max(from, reached);
      reached = to;
    }
  }
  picture.end = std::max(reached, Micros{1});
  return picture;
}

double scaled(Micros at, Micros end) {
  return std::clamp(static_cast<double>(at.count()) / static_cast<double>(end.count()), 0.0, 1.0) *
         kWidth;
}

class Waterfall {
 public:
  Waterfall(HtmlWriter& html, const TrackedFinding& tracked)
      : html_(html),
        tracked_(tracked),
        finding_(tracked.finding),
        steps_(finding_.timeline),
        picture_(picture_of(steps_)) {
    for (const TimelineStep& step : steps_) {
      if (step.query != kNoQuery) ++times_[step.query];
    }
  }

  void write() {
    strip();
    words();
    rows();
  }

 private:
  [[nodiscard]] std::string name_of_step(const TimelineStep& step) const {
    const auto found = tracked_.shape_names.find(step.query);
    if (found != tracked_.shape_names.end()) return found->second;
    if (step.query == finding_.query_id && step.query != kNoQuery) return finding_.query.summary;
    if (finding_.parent_query && step.query == finding_.parent_id) {
      return finding_.parent_query->summary;
    }
    return "another query";
  }

  /// Of the class attribute: what part the step plays.  A query besides the finding's that repeats
  /// too is a loop inside this one, or around it: "nested".
  [[nodiscard]] std::string part_of(const TimelineStep& step) const {
    if (step.query == kNoQuery) return "other";
    if (step.query == finding_.query_id) return "child";
    if (step.query == finding_.parent_id) return "parent";
    return times_.at(step.query) >= kLeastRepeats ? "nested" : "other";
  }

  /// How often a step stands at its place: what is inside of the loop is indented further.
  [[nodiscard]] std::string depth_of(const TimelineStep& step) const {
    const std::string part = part_of(step);
    if (part == "nested") return "d2";
    return part == "child" ? "d1" : "d0";
  }

  void bar(const TimelineStep& step, std::string_view y, std::string_view height) {
    const double x = scaled(std::max(step.offset, Micros{0}), picture_.end);
    const double width = std::max(scaled(step.duration, picture_.end), kLeastWidth);
    html_.empty("rect", {{"class", part_of(step)},
                         {"x", decimal(std::min(x, kWidth - kLeastWidth), 2)},
                         {"y", std::string(y)},
                         {"width", decimal(std::min(width, kWidth - x + kLeastWidth), 2)},
                         {"height", std::string(height)}});
  }

  void strip_bar(const TimelineStep& step) {
    const std::string part = part_of(step);
    if (part == "nested") return bar(step, "45", "12");
    part == "child" ? bar(step, "26", "16") : bar(step, "5", "16");
  }

  void nested_legend() {
    std::map<QueryId, size_t> nested;
    for (const TimelineStep& step : steps_) {
      if (part_of(step) == "nested") ++nested[step.query];
    }
    for (const auto& [query, times] : nested) {
      const auto name = tracked_.shape_names.find(query);
      html_.element("li", {{"class", "nested"}},
                    (name == tracked_.shape_names.end() ? "another query" : name->second) +
                        ", repeated too: " + with_commas(times) + " times here");
    }
  }

  void strip() {
    const std::string label = "Timeline of " + count_of(steps_.size(), "query", "queries") +
                              " over " + readable(picture_.end);
    html_.open("svg", {{"class", "strip"},
                       {"viewBox", "0 0 1000 60"},
                       {"preserveAspectRatio", "none"},
                       {"role", "img"},
                       {"aria-label", label}});
    html_.raw("<rect class=\"track\" width=\"1000\" height=\"60\"/>");
    for (const Gap& gap : picture_.gaps) {
      html_.empty("rect", {{"class", "gap"},
                           {"x", decimal(scaled(gap.from, picture_.end), 2)},
                           {"y", "0"},
                           {"width", decimal(scaled(gap.to - gap.from, picture_.end), 2)},
                           {"height", "60"}});
    }
    for (const TimelineStep& step : steps_)
      strip_bar(step);
    html_.close("svg");
    html_.raw("<div class=\"scale\" aria-hidden=\"true\"><span>0</span>");
    html_.element("span", {}, readable(picture_.end / 2));
    html_.element("span", {}, readable(picture_.end));
    html_.raw("</div><ul class=\"legend\">");
    if (finding_.parent_query)
      html_.element("li", {{"class", "parent"}}, finding_.parent_query->summary);
    if (!finding_.query.summary.empty())
      html_.element("li", {{"class", "child"}}, finding_.query.summary);
    nested_legend();
    const bool others = std::any_of(steps_.begin(), steps_.end(), [this](const TimelineStep& step) {
      return part_of(step) == "other";
    });
    if (others) html_.raw("<li class=\"other\">other queries</li>");
    if (!picture_.gaps.empty()) html_.raw("<li class=\"gap\">no query runs</li>");
    html_.raw("</ul>");
  }

  void words() {
    Micros longest{0};
    for (const Gap& gap : picture_.gaps)
      longest = std::max(longest, gap.to - gap.from);
    std::string text = "The database worked " + readable(picture_.busy) + " of " +
                       readable(picture_.end) +
                       "; the rest passed in the application and on the "
                       "network between queries.";
    if (static_cast<double>(longest.count()) >
        kNotableGap * static_cast<double>(picture_.end.count())) {
      text += " The longest pause took " + readable(longest) + ".";
    }
    const uint64_t all = finding_.examples.empty() ? 0 : finding_.examples[0].statements;
    if (all > steps_.size()) {
      text += " Shown are the first " + with_commas(steps_.size()) + " of " + with_commas(all) +
              " queries.";
    }
    html_.element("p", {{"class", "note"}}, text);
  }

  void row(const TimelineStep& step) {
    html_.open("li", {{"class", part_of(step) + " " + depth_of(step)}});
    html_.element("span", {{"class", "name"}}, name_of_step(step));
    html_.raw("<svg viewBox=\"0 0 1000 10\" preserveAspectRatio=\"none\" aria-hidden=\"true\">");
    bar(step, "0", "10");
    html_.raw("</svg>");
    html_.element("span", {{"class", "at"}}, "+" + readable(std::max(step.offset, Micros{0})));
    html_.element("span", {{"class", "took"}}, readable(step.duration));
    html_.close("li");
  }

  void rows() {
    html_.raw("<ol class=\"steps\">");
    const bool folded = steps_.size() > kHead + kTail + 1;
    const size_t head = folded ? kHead : steps_.size();
    for (size_t i = 0; i < head; ++i)
      row(steps_[i]);
    if (folded) {
      const size_t hidden = steps_.size() - kHead - kTail;
      html_.raw("</ol><details class=\"fold\"><summary>");
      html_.text(with_commas(hidden) + " more");
      html_.raw("</summary><ol class=\"steps\">");
      for (size_t i = head; i < head + hidden; ++i)
        row(steps_[i]);
      html_.raw("</ol></details><ol class=\"steps\">");
      for (size_t i = head + hidden; i < steps_.size(); ++i)
        row(steps_[i]);
    }
    html_.raw("</ol>");
  }

  HtmlWriter& html_;
  const TrackedFinding& tracked_;
  const Finding& finding_;
  const std::vector<TimelineStep>& steps_;
  Picture picture_;
  std::map<QueryId, size_t> times_;
};

}  // namespace

void write_waterfall(HtmlWriter& html, const TrackedFinding& tracked) {
  if (!tracked.finding.timeline.empty()) Waterfall(html, tracked).write();
}

}  // namespace ectoscope
