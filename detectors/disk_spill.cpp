// Disk spill: a sort or a hash did not fit into work_mem and went through temporary files, as a
// plan shows or, where there is none, the lines of log_temp_files.
#include <algorithm>
#include <map>

#include "core/incident.h"
#include "core/near_miss.h"
#include "detectors/registry.h"
#include "detectors/support/incidents.h"
#include "detectors/support/plan_waste.h"
#include "detectors/support/wording.h"

namespace ectoscope {
namespace {

using Type = OptionSpec::Type;

constexpr double kBlock = 8192;

constexpr OptionSpec kOptions[] = {
    {"min_spilled", Type::kBytes, 1 << 20, 8192, 1 << 30,
     "Bytes written to temporary files; less stays in the file system's cache and costs little."},
    {"critical_spilled", Type::kBytes, 1 << 30, 8192, 1LL << 40,
     "From here on, and critical_duration, the finding is critical: it fills disks."},
    {"critical_duration", Type::kDuration, 1'000'000, 1'000, 3'600'000'000,
     "Database time from which on so much is critical."},
};

class DiskSpill final : public Detector {
 public:
  explicit DiskSpill(const Options& options)
      : min_spilled_(static_cast<double>(options.integer("min_spilled"))),
        critical_spilled_(static_cast<double>(options.integer("critical_spilled"))),
        critical_duration_(options.duration("critical_duration")) {}

  void on_plan(const std::shared_ptr<const Plan>& plan, const Execution& execution,
               const Query& query, Report& report) override {
    const double bytes = spilled(*plan);
    if (bytes > 0) note_planned(execution);
    if (too_few(bytes, query.id, report)) return;
    tell(observe(plan, execution, query, critical_duration_), bytes, report);
  }

  /// All files of one statement.
  void on_incident(const Incident& incident, const QueryTable& queries, Report& report) override {
    if (incident.kind != IncidentKind::kTempFile || incident.query == kNoQuery) return;
    if (!sorts_by_work_mem(queries[incident.query]) || is_planned(incident)) return;
    const auto bytes = static_cast<double>(incident.temp_bytes);
    if (too_few(bytes, incident.query, report)) return;
    Observation observation = observe(incident);
    observation.database_time = observation.ended_at - observation.started_at;
    observation.severity =
        observation.database_time >= critical_duration_ ? Severity::kCritical : Severity::kWarning;
    tell(std::move(observation), bytes, report);
  }

 private:
  /// The latest execution of a backend whose plan told what it spilled.
  struct Planned {
    QueryId query = kNoQuery;
    EventTime ended_at;
  };

  /// What builds an index has maintenance_work_mem; a COMMIT closes the files of its cursors.
  static bool sorts_by_work_mem(const Query& query) {
    return query.operation == Operation::kSelect || query.operation == Operation::kInsert ||
           query.operation == Operation::kUpdate || query.operation == Operation::kDelete;
  }

  static constexpr size_t kMaxBackends = 10'000;
  static constexpr Micros kSlack{1'000'000};  // the plan's record and the files' are not one

  void note_planned(const Execution& execution) {
    if (planned_.size() >= kMaxBackends) planned_.clear();
    planned_[execution.pid] = {execution.query, execution.ended_at};
  }

  [[nodiscard]] bool is_planned(const Incident& incident) const {
    const auto found = planned_.find(incident.pid);
    if (found == planned_.end() || found->second.query != incident.query) return false;
    const Micros apart = incident.at - found->second.ended_at;
    return apart <= kSlack && apart >= -kSlack;
  }

  bool too_few(double bytes, QueryId query, Report& report) const {
    if (bytes >= min_spilled_) return false;
    if (bytes * 2 >= min_spilled_) {
      report.near_miss({query, kNoQuery, "min_spilled", bytes, min_spilled_,
                        "bytes that one execution wrote to temporary files"});
    }
    return true;
  }

  void tell(Observation observation, double bytes, Report& report) const {
    observation.confidence = 1;
    if (bytes < critical_spilled_) observation.severity = Severity::kWarning;
    observation.remedy = Remedy::kWorkMem;
    observation.evidence["spilled_bytes"] = bytes;
    observation.evidence["max_spilled_bytes"] = bytes;
    report.add(std::move(observation));
  }

  /// By the blocks written, which log_buffers shows; else by what the sorts and hashes say.
  static double spilled(const Plan& plan) {
    const double written = plan.root().temp_blocks_written * kBlock;
    if (written > 0) return written;
    double bytes = 0;
    for (const PlanNode& node : plan.nodes) {
      const double processes = std::max(node.loops, 1.0);
      if (node.sort_on_disk) bytes += node.sort_space_kb * 1024 * processes;
      bytes += node.disk_usage_kb * 1024 * processes;
    }
    return bytes;
  }

  const double min_spilled_;
  const double critical_spilled_;
  const Micros critical_duration_;
  std::map<int32_t, Planned> planned_;  // by pid
};

std::string summarize(const Finding& finding) {
  const auto most = finding.evidence.find("max_spilled_bytes");
  const double bytes = most == finding.evidence.end() ? 0 : most->second;
  return finding.query.summary + " sorts or hashes through temporary files of up to " +
         grouped(static_cast<uint64_t>(bytes / (1 << 20))) + " MiB, " +
         counted(finding.occurrences, "time", "times") + ".";
}

}  // namespace

DetectorEntry describe_disk_spill() {
  return {"disk_spill",
          "Disk spills",
          Occurrence::kExecution,
          kOptions,
          [](const Options& options) -> std::unique_ptr<Detector> {
            return std::make_unique<DiskSpill>(options);
          },
          &summarize,
          kHearsPlans | kHearsIncidents};
}

}  // namespace ectoscope
