// Statements that were cancelled because they took too long: by the server's timeout, or by a
// client that gave up.

#include "core/incident.h"
#include "detectors/registry.h"
#include "detectors/support/incidents.h"
#include "detectors/support/wording.h"

namespace ectoscope {
namespace {

class StatementTimeout final : public Detector {
 public:
  explicit StatementTimeout(const Options& /*options*/) {}

  void on_incident(const Incident& incident, const QueryTable& /*queries*/,
                   Report& report) override {
    const IncidentKind kind = incident.kind;
    const bool client = kind == IncidentKind::kClientCancel;
    if (!client && kind != IncidentKind::kStatementTimeout && kind != IncidentKind::kLockTimeout &&
        kind != IncidentKind::kTransactionTimeout) {
      return;
    }
    Observation observation = observe(incident);
    observation.severity = Severity::kWarning;
    observation.remedy = Remedy::kRaiseTimeout;
    observation.evidence["total_client_cancels"] = client ? 1 : 0;
    observation.evidence["total_server_timeouts"] = client ? 0 : 1;
    if (kind == IncidentKind::kLockTimeout) observation.evidence["total_lock_timeouts"] = 1;
    report.add(std::move(observation));
  }
};

std::string summarize(const Finding& finding) {
  const auto total = [&](const char* name) {
    const auto found = finding.evidence.find(name);
    return found == finding.evidence.end() ? uint64_t{0} : static_cast<uint64_t>(found->second);
  };
  const uint64_t client = total("total_client_cancels");
  const std::string what = finding.query.summary.empty() ? "A statement" : finding.query.summary;
  std::string text = what + " was cancelled " + counted(finding.occurrences, "time", "times") +
                     " before its end: ";
  if (client == 0) return text + "by the server's timeout.";
  if (client == finding.occurrences) return text + "the client gave up waiting.";
  return text + grouped(client) +
         " by a client that gave up waiting, the rest by the server's timeout.";
}

}  // namespace

DetectorEntry describe_statement_timeout() {
  return {"statement_timeout",
          "Statement timeouts",
          Occurrence::kExecution,
          {},
          [](const Options& options) -> std::unique_ptr<Detector> {
            return std::make_unique<StatementTimeout>(options);
          },
          &summarize,
          kHearsIncidents};
}

}  // namespace ectoscope
