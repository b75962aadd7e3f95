// Query regressions: a shape's mean time, or how often it runs, well above what it used to be.
//
// A shape is compared with itself only, poll by poll of pg_stat_statements.  The baseline follows
// slow change (data grows, days differ) and hardly moves while the shape is above it, so that a
// regression does not become normal within a day.
//
// Not reported: one bad poll (a cold cache, a backup), shapes that vary by themselves, and traffic
// that rises as a whole.
#include <algorithm>
#include <cmath>
#include <map>
#include <unordered_map>

#include "core/statement_sample.h"
#include "detectors/registry.h"
#include "detectors/support/wording.h"

namespace ectoscope {
namespace {

using Type = OptionSpec::Type;

constexpr OptionSpec kOptions[] = {
    {"mean_factor", Type::kInteger, 2, 2, 1'000,
     "How many times its usual mean time a statement must take."},
    {"min_increase", Type::kDuration, 5'000, 0, 60'000'000,
     "And so much longer at least; nobody feels less."},
    {"calls_factor", Type::kInteger, 5, 2, 1'000,
     "How many times as often as usual it must run, the rest of the traffic set off."},
    {"min_load", Type::kRatio, 0.01, 0, 1,
     "And so much of one core's time the additional calls must take."},
    {"min_calls", Type::kInteger, 20, 1, 1'000'000,
     "Polls with fewer calls of the statement say nothing of its mean time."},
    {"baseline_polls", Type::kInteger, 20, 2, 100'000,
     "Polls that the statement must be known for before it is judged."},
    {"polls", Type::kInteger, 3, 1, 1'000,
     "Polls in a row that must be above; one alone may be a cold cache."},
};

constexpr double kFollow = 0.05;             // weight of one poll in the baseline
constexpr double kFollowWhileAbove = 0.002;  // a day of polls each minute makes it normal
constexpr double kDeviations = 3;            // above the shape's own spread
constexpr size_t kMaxShapes = 50'000;        // over all databases, about 100 bytes each

/// Mean and spread of a series, the latest values weighing most.
class Moving {
 public:
  void follow(double value, double weight) {
    if (!begun_) {
      begun_ = true;
      mean_ = value;
      return;
    }
    const double off = value - mean_;
    mean_ += weight * off;
    variance_ = (1 - weight) * (variance_ + weight * off * off);
  }
  /// Hardly, and without taking its distance for spread.
  void lean_to(double value) { mean_ += kFollowWhileAbove * (value - mean_); }
  [[nodiscard]] double mean() const { return mean_; }
  [[nodiscard]] double deviation() const { return std::sqrt(variance_); }

 private:
  bool begun_ = false;
  double mean_ = 0;
  double variance_ = 0;
};

struct Baseline {
  Moving mean_us;
  Moving rate;  // calls per second
  int64_t timed_polls = 0;
  int64_t polls = 0;
  int64_t slow_in_a_row = 0;
  int64_t often_in_a_row = 0;
};

struct Window {
  double seconds = 0;
  double rate = 0;  // calls per second
  double mean_us = 0;
  double rest_growth = 1;  // of the database's other calls, against their baseline
};

class QueryRegression final : public Detector {
 public:
  explicit QueryRegression(const Options& options)
      : mean_factor_(static_cast<double>(options.integer("mean_factor"))),
        min_increase_us_(static_cast<double>(options.duration("min_increase").count())),
        calls_factor_(static_cast<double>(options.integer("calls_factor"))),
        min_load_(options.ratio("min_load")),
        min_calls_(static_cast<uint64_t>(options.integer("min_calls"))),
        baseline_polls_(options.integer("baseline_polls")),
        polls_(options.integer("polls")) {}

  void on_samples(std::span<const StatementSample> samples, const QueryTable& queries,
                  Report& report) override {
    if (samples.empty()) return;
    const double seconds =
        static_cast<double>((samples.front().to - samples.front().from).count()) / 1e6;
    if (seconds <= 0) return;
    double all_calls = 0;
    for (const StatementSample& sample : samples)
      all_calls += static_cast<double>(sample.calls);
    Moving& usual = rate_of_[samples.front().database];
    for (const StatementSample& sample : samples) {
      if (queries[sample.query].system) continue;
      if (Baseline* baseline = baseline_of(sample)) {
        judge(sample,
              {seconds, static_cast<double>(sample.calls) / seconds,
               static_cast<double>(sample.total_time.count()) / static_cast<double>(sample.calls),
               rest_growth(sample, *baseline, all_calls / seconds, usual.mean(), seconds)},
              *baseline, report);
      }
    }
    usual.follow(all_calls / seconds, kFollow);
  }

 private:
  static double rest_growth(const StatementSample& sample, const Baseline& baseline, double rate,
                            double usual_rate, double seconds) {
    const double usual_rest = usual_rate - baseline.rate.mean();
    if (usual_rest <= 0) return 1;
    return std::max(1.0, (rate - static_cast<double>(sample.calls) / seconds) / usual_rest);
  }

  Baseline* baseline_of(const StatementSample& sample) {
    const uint64_t key = uint64_t{sample.database} << 32U | sample.query;
    if (const auto known = baselines_.find(key); known != baselines_.end()) return &known->second;
    return baselines_.size() < kMaxShapes ? &baselines_[key] : nullptr;
  }

  void judge(const StatementSample& sample, const Window& window, Baseline& baseline,
             Report& report) {
    const bool slower = is_slower(sample, window, baseline);
    const bool oftener = is_oftener(window, baseline);
    baseline.slow_in_a_row = slower ? baseline.slow_in_a_row + 1 : 0;
    baseline.often_in_a_row = oftener ? baseline.often_in_a_row + 1 : 0;
    if (baseline.slow_in_a_row >= polls_ || baseline.often_in_a_row >= polls_) {
      report.add(describe(sample, window, baseline));
    }
    if (sample.calls >= min_calls_) {
      if (slower) {
        baseline.mean_us.lean_to(window.mean_us);
      } else {
        baseline.mean_us.follow(window.mean_us, kFollow);
      }
      ++baseline.timed_polls;
    }
    if (oftener) {
      baseline.rate.lean_to(window.rate);
    } else {
      baseline.rate.follow(window.rate, kFollow);
    }
    ++baseline.polls;
  }

  [[nodiscard]] bool is_slower(const StatementSample& sample, const Window& window,
                               const Baseline& baseline) const {
    const double usual = baseline.mean_us.mean();
    return sample.calls >= min_calls_ && baseline.timed_polls >= baseline_polls_ &&
           window.mean_us >= mean_factor_ * usual && window.mean_us - usual >= min_increase_us_ &&
           window.mean_us - usual >= kDeviations * baseline.mean_us.deviation();
  }

  [[nodiscard]] bool is_oftener(const Window& window, const Baseline& baseline) const {
    const double usual = baseline.rate.mean();
    const double load = (window.rate - usual) * window.mean_us / 1e6;
    return baseline.polls >= baseline_polls_ &&
           window.rate >= calls_factor_ * window.rest_growth * usual &&
           window.rate - usual >= kDeviations * baseline.rate.deviation() && load >= min_load_;
  }

  [[nodiscard]] Observation describe(const StatementSample& sample, const Window& window,
                                     const Baseline& baseline) const {
    const bool slower = baseline.slow_in_a_row >= polls_;
    const double usual_us = slower ? baseline.mean_us.mean() : window.mean_us;
    const bool oftener = baseline.often_in_a_row >= polls_;
    const double usual_calls = (oftener ? baseline.rate.mean() : window.rate) * window.seconds;
    Observation observation;
    observation.query = sample.query;
    observation.severity = Severity::kWarning;
    observation.confidence = 0.8;
    observation.remedy = Remedy::kReadPlan;
    observation.started_at = sample.from;
    observation.ended_at = sample.to;
    observation.statements = sample.calls;
    observation.repeats = 1;
    if (oftener) {
      observation.excess_statements =
          sample.calls - std::min(sample.calls, static_cast<uint64_t>(usual_calls));
    }
    observation.database_time = sample.total_time;
    observation.saved = std::max(
        Micros(0), sample.total_time - Micros(static_cast<int64_t>(usual_us * usual_calls)));
    if (slower) {
      observation.evidence["mean_ms"] = window.mean_us / 1000;
      observation.evidence["usual_mean_ms"] = usual_us / 1000;
    }
    if (oftener) {
      observation.evidence["calls_per_second"] = window.rate;
      observation.evidence["usual_calls_per_second"] = baseline.rate.mean();
    }
    return observation;
  }

  const double mean_factor_;
  const double min_increase_us_;
  const double calls_factor_;
  const double min_load_;
  const uint64_t min_calls_;
  const int64_t baseline_polls_;
  const int64_t polls_;
  std::unordered_map<uint64_t, Baseline> baselines_;  // by database and shape
  std::map<uint32_t, Moving> rate_of_;                // calls per second, by database
};

std::string per_second(double rate) {
  if (rate >= 10) return grouped(static_cast<uint64_t>(std::llround(rate)));
  std::string text = std::to_string(std::round(rate * 100) / 100);
  return text.substr(0, text.find('.') + 3);
}

std::string summarize(const Finding& finding) {
  const auto value = [&finding](const char* name) {
    const auto found = finding.evidence.find(name);
    return found == finding.evidence.end() ? 0.0 : found->second;
  };
  const auto time = [&value](const char* name) {
    return spoken(Micros(static_cast<int64_t>(value(name) * 1000)));
  };
  const bool slower = finding.evidence.contains("mean_ms");
  std::string text = finding.query.summary;
  if (slower) text += " takes " + time("mean_ms") + " where it took " + time("usual_mean_ms");
  if (finding.evidence.contains("calls_per_second")) {
    text += std::string(slower ? ", and" : "") + " runs " + per_second(value("calls_per_second")) +
            " times a second where it ran " + per_second(value("usual_calls_per_second")) +
            " times";
  }
  return text + ": " + spoken(finding.saved) + " of database time more than usual.";
}

}  // namespace

DetectorEntry describe_query_regression() {
  return {"query_regression",
          "Query regressions",
          Occurrence::kExecution,
          kOptions,
          [](const Options& options) -> std::unique_ptr<Detector> {
            return std::make_unique<QueryRegression>(options);
          },
          &summarize,
          kHearsSamples};
}

}  // namespace ectoscope
