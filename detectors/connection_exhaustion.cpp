// Connection exhaustion: clients turned away because no slot was left.

#include "core/incident.h"
#include "detectors/registry.h"
#include "detectors/support/incidents.h"
#include "detectors/support/wording.h"

namespace ectoscope {
namespace {

class ConnectionExhaustion final : public Detector {
 public:
  explicit ConnectionExhaustion(const Options& /*options*/) {}

  void on_incident(const Incident& incident, const QueryTable& /*queries*/,
                   Report& report) override {
    if (incident.kind != IncidentKind::kNoSlots) return;
    Observation observation = observe(incident);
    observation.severity = Severity::kCritical;
    observation.remedy = Remedy::kPoolSize;
    report.add(std::move(observation));
  }
};

std::string summarize(const Finding& finding) {
  return counted(finding.occurrences, "connection was", "connections were") +
         " refused: no slot was left.";
}

}  // namespace

DetectorEntry describe_connection_exhaustion() {
  return {"connection_exhaustion",
          "Connection exhaustion",
          Occurrence::kExecution,
          {},
          [](const Options& options) -> std::unique_ptr<Detector> {
            return std::make_unique<ConnectionExhaustion>(options);
          },
          &summarize,
          kHearsIncidents};
}

}  // namespace ectoscope
