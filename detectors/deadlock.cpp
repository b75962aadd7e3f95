// Deadlocks: two transactions, each waiting for what the other one holds.

#include "core/incident.h"
#include "detectors/registry.h"
#include "detectors/support/incidents.h"
#include "detectors/support/wording.h"

namespace ectoscope {
namespace {

class Deadlock final : public Detector {
 public:
  explicit Deadlock(const Options& /*options*/) {}

  void on_incident(const Incident& incident, const QueryTable& /*queries*/,
                   Report& report) override {
    if (incident.kind != IncidentKind::kDeadlock) return;
    Observation observation = observe(incident);
    observation.severity = Severity::kCritical;
    observation.remedy = Remedy::kLockOrder;
    observation.evidence["sides"] = static_cast<double>(1 + observation.other.pids.size());
    report.add(std::move(observation));
  }
};

std::string summarize(const Finding& finding) {
  const std::string victim = finding.query.summary.empty() ? "A statement" : finding.query.summary;
  return victim + " was cancelled " + counted(finding.occurrences, "time", "times") +
         " to end a deadlock" +
         (finding.parent_query ? " with " + finding.parent_query->summary : std::string()) + ".";
}

}  // namespace

DetectorEntry describe_deadlock() {
  return {"deadlock",
          "Deadlocks",
          Occurrence::kExecution,
          {},
          [](const Options& options) -> std::unique_ptr<Detector> {
            return std::make_unique<Deadlock>(options);
          },
          &summarize,
          kHearsIncidents};
}

}  // namespace ectoscope
