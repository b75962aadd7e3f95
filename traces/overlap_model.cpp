#include "traces/overlap_model.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace ectoscope {
namespace {

constexpr Micros kTick{1'000};  // of the stamps: what overlaps by less may not have
constexpr std::array kEarlier{Micros(300'000), OverlapModel::kBefore};
constexpr double kForget = 60;   // overlaps; older ones count half then
constexpr double kShown = 0.5;   // of them: no call overlaps itself, and links avoid what overlaps
constexpr double kDamped = 0.5;  // overlaps come in clusters: one long statement, several repeats

double microseconds(Micros time) {
  return static_cast<double>(time.count());
}

// What repeats, and when.
struct Repeated {
  std::span<const Execution> loop;
  EventTime start;
  Micros length;
  double mean_us = 0;
};

Repeated repeated(std::span<const Execution> loop) {
  EventTime start = loop.front().started_at;
  Micros busy{0};
  for (const Execution& execution : loop) {
    start = std::min(start, execution.started_at);
    busy += execution.duration;
  }
  const Micros length = std::max(Micros(1), loop.back().ended_at - start);
  return {loop, start, length, microseconds(busy) / static_cast<double>(loop.size())};
}

// One that began before the repeats did may be a neighbour's that takes long: it is not looked at.
bool began_meanwhile(const RunTime& other, const Repeated& repeats) {
  return other.started_at >= repeats.start && other.started_at < repeats.start + repeats.length;
}

bool overlaps(const RunTime& other, const Repeated& repeats) {
  const auto first = std::upper_bound(
      repeats.loop.begin(), repeats.loop.end(), other.started_at + kTick,
      [](EventTime at, const Execution& execution) { return at < execution.ended_at; });
  return first != repeats.loop.end() && first->started_at + kTick < other.ended_at;
}

// How many of `others` would, had they run `later`.
double count_overlaps(std::span<const RunTime> others, Micros later, const Repeated& repeats) {
  return static_cast<double>(std::count_if(others.begin(), others.end(), [&](RunTime other) {
    other.started_at += later;
    other.ended_at += later;
    return began_meanwhile(other, repeats) && overlaps(other, repeats);
  }));
}

// How many would, did they begin at any time of the loop.
double expect_overlaps(std::span<const RunTime> others, const Repeated& repeats) {
  double all = 0;
  for (const RunTime& other : others) {
    if (!began_meanwhile(other, repeats)) continue;
    const double reach =
        microseconds(other.ended_at - other.started_at - 2 * kTick) + repeats.mean_us;
    const double each = std::max(0.0, reach / microseconds(repeats.length));
    all += std::min(1.0, static_cast<double>(repeats.loop.size()) * each);
  }
  return all;
}

}  // namespace

double OverlapModel::several(std::span<const Execution> loop, std::span<const RunTime> others,
                             EventTime known_since) {
  const QueryId query = loop.front().query;
  if (shapes_.size() >= kMaxShapes && !shapes_.contains(query)) shapes_.clear();
  Overlaps& shape = shapes_[query];
  const Repeated repeats = repeated(loop);
  double by_chance = 0;
  double looks = 0;
  for (const Micros before : kEarlier) {
    const Micros later = repeats.length + before;
    if (repeats.start - later < known_since) continue;
    by_chance += count_overlaps(others, later, repeats);
    looks += 1;
  }
  if (looks > 0) {
    shape.seen += count_overlaps(others, Micros(0), repeats);
    shape.by_chance += by_chance / looks;
    shape.if_several += expect_overlaps(others, repeats);
  }
  // Of two Poisson distributions, each begun with one.
  const double one_process = shape.by_chance + 1;
  const double several = std::max(shape.by_chance, kShown * shape.if_several) + 1;
  const double log_odds =
      std::log(kUnknown / (1 - kUnknown)) +
      kDamped * (shape.seen * std::log(several / one_process) - (several - one_process));
  if (std::max({shape.seen, shape.by_chance, shape.if_several}) > kForget) {
    shape.seen /= 2;
    shape.by_chance /= 2;
    shape.if_several /= 2;
  }
  return 1 / (1 + std::exp(-log_odds));
}

}  // namespace ectoscope
