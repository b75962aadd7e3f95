// Serialization failures: a transaction lost to a concurrent one and must be run again.

#include "core/incident.h"
#include "detectors/registry.h"
#include "detectors/support/incidents.h"
#include "detectors/support/wording.h"

namespace ectoscope {
namespace {

using Type = OptionSpec::Type;

constexpr OptionSpec kOptions[] = {
    {"min_failures", Type::kInteger, 1, 1, 1'000'000,
     "Fewer in an hour are passed over; raise it where a retry stands around each transaction."},
};

class SerializationFailure final : public Detector {
 public:
  explicit SerializationFailure(const Options& options)
      : min_failures_(static_cast<uint64_t>(options.integer("min_failures"))) {}

  void on_incident(const Incident& incident, const QueryTable& /*queries*/,
                   Report& report) override {
    if (incident.kind != IncidentKind::kSerializationFailure) return;
    constexpr std::chrono::hours kHour{1};
    if (incident.at - hour_began_ >= kHour) {
      hour_began_ = incident.at;
      failures_ = 0;
    }
    if (++failures_ < min_failures_) return;
    Observation observation = observe(incident);
    observation.severity = Severity::kWarning;
    observation.remedy = Remedy::kRetry;
    report.add(std::move(observation));
  }

 private:
  const uint64_t min_failures_;
  EventTime hour_began_{};
  uint64_t failures_ = 0;
};

std::string summarize(const Finding& finding) {
  const std::string loser = finding.query.summary.empty() ? "A statement" : finding.query.summary;
  return loser + " lost to a concurrent transaction " +
         counted(finding.occurrences, "time", "times") + " and was rolled back.";
}

}  // namespace

DetectorEntry describe_serialization_failure() {
  return {"serialization_failure",
          "Serialization failures",
          Occurrence::kExecution,
          kOptions,
          [](const Options& options) -> std::unique_ptr<Detector> {
            return std::make_unique<SerializationFailure>(options);
          },
          &summarize,
          kHearsIncidents};
}

}  // namespace ectoscope
