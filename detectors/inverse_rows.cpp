// Inverse rows: a shape that takes the longer the fewer rows it finds: an index is read for its
// order, and the search goes on until enough rows match.
#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "core/near_miss.h"
#include "detectors/registry.h"
#include "detectors/support/plan_waste.h"
#include "detectors/support/shape_table.h"
#include "detectors/support/wording.h"

namespace ectoscope {
namespace {

using Type = OptionSpec::Type;

constexpr size_t kShapes = 1000;
constexpr size_t kSamples = 64;  // the newest of a shape

constexpr OptionSpec kOptions[] = {
    {"min_samples", Type::kInteger, 30, 10, kSamples,
     "Executions with a plan before the shape is judged; with fewer, chance looks like a rule."},
    {"min_correlation", Type::kRatio, 0.6, 0.1, 1,
     "How clearly time falls as rows rise: Spearman's rank correlation without its minus."},
    {"min_duration", Type::kDuration, 100'000, 1'000, 3'600'000'000,
     "The slowest twentieth of the executions takes at least so long."},
    {"critical_duration", Type::kDuration, 1'000'000, 1'000, 3'600'000'000,
     "From here on the finding is critical."},
};

struct Sample {
  double rows = 0;
  double micros = 0;
};

struct Samples {
  std::array<Sample, kSamples> ring{};
  size_t seen = 0;

  [[nodiscard]] size_t size() const { return std::min(seen, kSamples); }
};

/// Ranks from 1; equal values share the mean of theirs.
std::array<double, kSamples> ranks(const Samples& samples, double Sample::*value) {
  std::array<size_t, kSamples> order{};
  const auto begin = order.begin();
  const auto end = begin + static_cast<std::ptrdiff_t>(samples.size());
  std::iota(begin, end, size_t{0});
  std::sort(begin, end,
            [&](size_t a, size_t b) { return samples.ring[a].*value < samples.ring[b].*value; });
  std::array<double, kSamples> result{};
  for (auto from = begin; from != end;) {
    const double here = samples.ring[*from].*value;
    const auto to =
        std::find_if(from, end, [&](size_t i) { return samples.ring[i].*value != here; });
    const double rank = static_cast<double>((from - begin) + (to - begin) + 1) / 2;
    for (; from != to; ++from)
      result[*from] = rank;
  }
  return result;
}

/// Spearman's; 0 where one side never changes.
double correlation(const Samples& samples) {
  const auto x = ranks(samples, &Sample::rows);
  const auto y = ranks(samples, &Sample::micros);
  const auto count = static_cast<double>(samples.size());
  const double mean = (count + 1) / 2;
  double both = 0;
  double xs = 0;
  double ys = 0;
  for (size_t i = 0; i < samples.size(); ++i) {
    both += (x[i] - mean) * (y[i] - mean);
    xs += (x[i] - mean) * (x[i] - mean);
    ys += (y[i] - mean) * (y[i] - mean);
  }
  return xs > 0 && ys > 0 ? both / std::sqrt(xs * ys) : 0;
}

double percentile(const Samples& samples, double share) {
  std::vector<double> times;
  for (size_t i = 0; i < samples.size(); ++i)
    times.push_back(samples.ring[i].micros);
  const auto at = static_cast<size_t>(share * static_cast<double>(times.size() - 1));
  std::nth_element(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(at), times.end());
  return times[at];
}

class InverseRows final : public Detector {
 public:
  explicit InverseRows(const Options& options)
      : min_samples_(static_cast<size_t>(options.integer("min_samples"))),
        min_correlation_(options.ratio("min_correlation")),
        min_duration_(options.duration("min_duration")),
        critical_duration_(options.duration("critical_duration")) {}

  void on_plan(const std::shared_ptr<const Plan>& plan, const Execution& execution,
               const Query& query, Report& report) override {
    if (!plan->analyzed || query.operation != Operation::kSelect || query.aggregate) return;
    Samples& samples = samples_[query.id];
    samples.ring[samples.seen++ % kSamples] = {plan->root().rows,
                                               static_cast<double>(execution.duration.count())};
    if (samples.size() < min_samples_ || execution.duration < min_duration_) return;
    if (percentile(samples, 0.95) < static_cast<double>(min_duration_.count())) return;
    const double found = correlation(samples);
    if (found > -min_correlation_) {
      if (found * 2 <= -min_correlation_) {
        report.near_miss({query.id, kNoQuery, "min_correlation", -found, min_correlation_,
                          "how clearly its time falls as its rows rise"});
      }
      return;
    }
    // Those on the slow side are the occurrences.
    if (static_cast<double>(execution.duration.count()) < percentile(samples, 0.5)) return;
    Observation observation = observe(plan, execution, query, critical_duration_);
    observation.confidence = 0.8;
    observation.remedy = Remedy::kReadPlan;
    if (const std::optional<Waste> waste = worst_waste(*plan, query, {})) {
      observation = observe(plan, execution, query, *waste, critical_duration_);
      if (waste->kind != WasteKind::kUnindexable) observation.remedy = Remedy::kAddIndex;
    }
    observation.evidence["correlation"] = found;
    observation.evidence["rows_returned"] = plan->root().rows;
    report.add(std::move(observation));
  }

 private:
  const size_t min_samples_;
  const double min_correlation_;
  const Micros min_duration_;
  const Micros critical_duration_;
  ShapeTable<Samples> samples_{kShapes};
};

std::string summarize(const Finding& finding) {
  return finding.query.summary + " takes the longer the fewer rows it finds; slow " +
         counted(finding.occurrences, "time", "times") + ".";
}

}  // namespace

DetectorEntry describe_inverse_rows() {
  return {"inverse_rows",
          "Slower with fewer rows",
          Occurrence::kExecution,
          kOptions,
          [](const Options& options) -> std::unique_ptr<Detector> {
            return std::make_unique<InverseRows>(options);
          },
          &summarize,
          kHearsPlans};
}

}  // namespace ectoscope
