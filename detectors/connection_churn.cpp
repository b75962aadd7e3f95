// Connection churn: one application drops and re-makes its connections again and again.
#include <algorithm>
#include <unordered_map>

#include "core/incident.h"
#include "detectors/registry.h"
#include "detectors/support/incidents.h"
#include "detectors/support/wording.h"

namespace ectoscope {
namespace {

using Type = OptionSpec::Type;

constexpr OptionSpec kOptions[] = {
    {"min_reconnects", Type::kInteger, 20, 2, 100'000,
     "So many connections re-made within `window` make a storm; a pool of ten does it in two "
     "rounds."},
    {"window", Type::kDuration, 60'000'000, 1'000'000, 3'600'000'000,
     "How far apart the first and the last of them may be."},
    {"min_rounds", Type::kInteger, 2, 1, 100,
     "How often the whole pool must have been re-made: a deploy or a failover does it once."},
};

class ConnectionChurn final : public Detector {
 public:
  explicit ConnectionChurn(const Options& options)
      : min_reconnects_(static_cast<uint64_t>(options.integer("min_reconnects"))),
        window_(options.duration("window")),
        min_rounds_(static_cast<double>(options.integer("min_rounds"))) {}

  void on_incident(const Incident& incident, const QueryTable& /*queries*/,
                   Report& report) override {
    if (incident.kind == IncidentKind::kConnected) {
      connected(incident, report);
    } else if (incident.kind == IncidentKind::kDisconnected) {
      disconnected(incident);
    }
  }

 private:
  /// The connections of one stream since `began`.
  struct Pool {
    EventTime began{};
    uint64_t open = 0;
    uint64_t most = 0;    // open at once
    uint64_t closed = 0;  // ended and not yet made up for
    uint64_t remade = 0;  // opened in the place of one that ended
    std::vector<int32_t> pids;
  };

  static constexpr size_t kMaxSessions = 20'000;
  static constexpr size_t kMaxPools = 1'000;
  static constexpr size_t kMaxPids = 20;

  void connected(const Incident& incident, Report& report) {
    if (sessions_.size() >= kMaxSessions) sessions_.clear();
    if (pools_.size() >= kMaxPools && !pools_.contains(incident.stream)) pools_.clear();
    sessions_[incident.session] = incident.stream;
    Pool& pool = pools_[incident.stream];
    if (incident.at - pool.began > window_) begin_anew(pool, incident.at);
    pool.most = std::max(pool.most, ++pool.open);
    if (pool.closed == 0) return;
    --pool.closed;
    ++pool.remade;
    if (pool.pids.size() < kMaxPids) pool.pids.push_back(incident.pid);
    const double rounds = static_cast<double>(pool.remade) / static_cast<double>(pool.most);
    if (pool.remade < min_reconnects_ || rounds < min_rounds_) return;
    report.add(describe(incident, pool, rounds));
    begin_anew(pool, incident.at);
  }

  void disconnected(const Incident& incident) {
    const auto session = sessions_.find(incident.session);
    if (session == sessions_.end()) return;
    const auto pool = pools_.find(session->second);
    sessions_.erase(session);
    if (pool == pools_.end() || pool->second.open == 0) return;
    --pool->second.open;
    ++pool->second.closed;
  }

  static void begin_anew(Pool& pool, EventTime now) {
    pool.began = now;
    pool.most = pool.open;
    pool.closed = 0;
    pool.remade = 0;
    pool.pids.clear();
  }

  static Observation describe(const Incident& incident, const Pool& pool, double rounds) {
    Observation observation = observe(incident);
    observation.started_at = pool.began;
    observation.pids = pool.pids;
    std::sort(observation.pids.begin(), observation.pids.end());
    observation.repeats = pool.remade;
    observation.severity = Severity::kWarning;
    observation.remedy = Remedy::kPoolSize;
    observation.evidence["total_reconnects"] = static_cast<double>(pool.remade);
    observation.evidence["max_open"] = static_cast<double>(pool.most);
    observation.evidence["rounds"] = rounds;
    return observation;
  }

  const uint64_t min_reconnects_;
  const Micros window_;
  const double min_rounds_;
  std::unordered_map<uint64_t, StreamId> sessions_;
  std::unordered_map<StreamId, Pool> pools_;
};

std::string summarize(const Finding& finding) {
  const auto found = finding.evidence.find("total_reconnects");
  const uint64_t reconnects =
      found == finding.evidence.end() ? 0 : static_cast<uint64_t>(found->second);
  const std::string who =
      finding.applications.empty() ? "An application" : finding.applications.front();
  return who + " re-made " + counted(reconnects, "connection", "connections") + " in " +
         counted(finding.occurrences, "storm", "storms") + ".";
}

}  // namespace

DetectorEntry describe_connection_churn() {
  return {"connection_churn",
          "Connection churn",
          Occurrence::kExecution,
          kOptions,
          [](const Options& options) -> std::unique_ptr<Detector> {
            return std::make_unique<ConnectionChurn>(options);
          },
          &summarize,
          kHearsIncidents};
}

}  // namespace ectoscope
