// @title@: what it is, in a sentence, and why it costs.
#include "detectors/registry.h"
#include "detectors/support/wording.h"

namespace ectoscope {
namespace {

using Type = OptionSpec::Type;

constexpr OptionSpec kOptions[] = {
    {"min_repeats", Type::kInteger, 5, 2, 10'000, "How many make a finding, and why so many."},
};

class @Name@ final : public Detector {
 public:
  explicit @Name@(const Options& options) : min_repeats_(options.integer("min_repeats")) {}

  // Override on_execution() instead where one execution is enough to judge.
  void on_trace(const Trace& trace, const QueryTable& /*queries*/, Report& /*report*/) override {
    if (static_cast<int64_t>(trace.executions.size()) < min_repeats_) return;
  }

 private:
  const int64_t min_repeats_;
};

std::string summarize(const Finding& finding) {
  return counted(finding.occurrences, "request", "requests") + " ran " + finding.query.summary +
         ".";
}

}  // namespace

DetectorEntry describe_@name@() {
  return {"@name@",
          "@title@",
          Occurrence::kTrace,
          kOptions,
          [](const Options& options) -> std::unique_ptr<Detector> {
            return std::make_unique<@Name@>(options);
          },
          &summarize};
}

}  // namespace ectoscope
