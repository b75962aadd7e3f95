#include "detectors/support/incidents.h"

#include <algorithm>

namespace ectoscope {

Observation observe(const Incident& incident) {
  Observation observation;
  observation.query = incident.query;
  observation.trace_id = incident.trace_id;
  observation.started_at = std::min(incident.started_at, incident.at - incident.waited);
  observation.ended_at = incident.at;
  if (incident.pid != 0) observation.pids = {incident.pid};
  observation.statements = incident.query == kNoQuery ? 0 : 1;
  observation.repeats = 1;
  observation.table = incident.table.view();
  for (size_t i = 0; i < incident.others_count; ++i) {
    const IncidentParty& other = incident.others[i];
    observation.other.pids.push_back(other.pid);
    if (observation.parent == kNoQuery) observation.parent = other.query;
    if (!observation.other.trace_id.known()) observation.other.trace_id = other.trace_id;
  }
  auto& pids = observation.other.pids;
  std::sort(pids.begin(), pids.end());
  pids.erase(std::unique(pids.begin(), pids.end()), pids.end());
  return observation;
}

}  // namespace ectoscope
