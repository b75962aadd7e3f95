// Disk spill: a sort or a hash did not fit into work_mem and went through temporary files.
#include <algorithm>

#include "core/near_miss.h"
#include "detectors/registry.h"
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
    if (bytes < min_spilled_) {
      if (bytes * 2 >= min_spilled_) {
        report.near_miss({query.id, kNoQuery, "min_spilled", bytes, min_spilled_,
                          "bytes that one execution wrote to temporary files"});
      }
      return;
    }
    Observation observation = observe(plan, execution, query, critical_duration_);
    observation.confidence = 1;
    if (bytes < critical_spilled_) observation.severity = Severity::kWarning;
    observation.remedy = Remedy::kWorkMem;
    observation.evidence["spilled_bytes"] = bytes;
    observation.evidence["max_spilled_bytes"] = bytes;
    report.add(std::move(observation));
  }

 private:
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
          &summarize};
}

}  // namespace ectoscope
