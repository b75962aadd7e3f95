// Lock waits: a statement stood still because another transaction held what it needed.

#include "core/incident.h"
#include "detectors/registry.h"
#include "detectors/support/incidents.h"
#include "detectors/support/wording.h"

namespace ectoscope {
namespace {

using Type = OptionSpec::Type;

constexpr OptionSpec kOptions[] = {
    {"min_wait", Type::kDuration, 0, 0, 3'600'000'000,
     "Shorter waits are passed over; PostgreSQL logs only those of deadlock_timeout (1 s) and "
     "more."},
    {"critical_wait", Type::kDuration, 5'000'000, 1'000, 3'600'000'000,
     "From here on the finding is critical: requests time out behind it."},
};

class LockWait final : public Detector {
 public:
  explicit LockWait(const Options& options)
      : min_wait_(options.duration("min_wait")),
        critical_wait_(options.duration("critical_wait")) {}

  void on_incident(const Incident& incident, const QueryTable& /*queries*/,
                   Report& report) override {
    if (incident.kind != IncidentKind::kLockWait || incident.waited < min_wait_) return;
    Observation observation = observe(incident);
    observation.severity =
        incident.waited >= critical_wait_ ? Severity::kCritical : Severity::kWarning;
    observation.remedy = Remedy::kShortTransaction;
    observation.database_time = incident.waited;
    observation.saved = incident.waited;
    observation.evidence["wait_ms"] = to_ms(incident.waited);
    observation.evidence["max_wait_ms"] = to_ms(incident.waited);
    observation.evidence["holders"] = static_cast<double>(observation.other.pids.size());
    report.add(std::move(observation));
  }

 private:
  const Micros min_wait_;
  const Micros critical_wait_;
};

std::string summarize(const Finding& finding) {
  const std::string waiter = finding.query.summary.empty() ? "A statement" : finding.query.summary;
  return waiter + " waited for a lock " + counted(finding.occurrences, "time", "times") + ", " +
         spoken(finding.database_time) + " in all" +
         (finding.parent_query ? ", held by a transaction that ran " + finding.parent_query->summary
                               : std::string()) +
         ".";
}

}  // namespace

DetectorEntry describe_lock_wait() {
  return {"lock_wait",
          "Lock waits",
          Occurrence::kExecution,
          kOptions,
          [](const Options& options) -> std::unique_ptr<Detector> {
            return std::make_unique<LockWait>(options);
          },
          &summarize,
          kHearsIncidents};
}

}  // namespace ectoscope
