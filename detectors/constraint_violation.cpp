// Constraint violations: a write that the database refused.

#include "core/incident.h"
#include "detectors/registry.h"
#include "detectors/support/incidents.h"
#include "detectors/support/wording.h"

namespace ectoscope {
namespace {

using Type = OptionSpec::Type;

constexpr OptionSpec kOptions[] = {
    {"warning_count", Type::kInteger, 100, 2, 1'000'000,
     "So many of one statement make a warning of what a changeset handles one by one."},
};

/// "user_id, slug" as "posts.user_id", "posts.slug".
std::vector<std::string> columns_of(std::string_view names, const std::string& table) {
  std::vector<std::string> columns;
  while (!names.empty() && !table.empty()) {
    const size_t comma = names.find(", ");
    columns.push_back(table + "." + std::string(names.substr(0, comma)));
    names = comma == std::string_view::npos ? std::string_view{} : names.substr(comma + 2);
  }
  return columns;
}

class ConstraintViolation final : public Detector {
 public:
  explicit ConstraintViolation(const Options& options)
      : warning_count_(static_cast<uint64_t>(options.integer("warning_count"))) {}

  void on_incident(const Incident& incident, const QueryTable& queries, Report& report) override {
    switch (incident.kind) {
      case IncidentKind::kUniqueViolation:
      case IncidentKind::kForeignKeyViolation:
      case IncidentKind::kNotNullViolation:
      case IncidentKind::kCheckViolation:
      case IncidentKind::kExclusionViolation:
      case IncidentKind::kOtherViolation:
        break;
      default:
        return;
    }
    Observation observation = observe(incident);
    observation.remedy = Remedy::kHandleConstraint;
    observation.constraint = incident.constraint.view();
    // A refused duplicate is how a unique constraint works; the others let bad data come that far.
    const bool expected = incident.kind == IncidentKind::kUniqueViolation ||
                          incident.kind == IncidentKind::kExclusionViolation;
    observation.severity =
        expected && count(incident.query) < warning_count_ ? Severity::kInfo : Severity::kWarning;
    if (observation.table.empty() && incident.query != kNoQuery &&
        !queries[incident.query].tables.empty()) {
      observation.table = queries[incident.query].tables.front();
    }
    observation.columns = columns_of(incident.columns.view(), observation.table);
    observation.evidence[name(incident.kind)] = 1;
    report.add(std::move(observation));
  }

 private:
  static std::string name(IncidentKind kind) {
    switch (kind) {
      case IncidentKind::kUniqueViolation:
        return "total_unique";
      case IncidentKind::kForeignKeyViolation:
        return "total_foreign_key";
      case IncidentKind::kNotNullViolation:
        return "total_not_null";
      case IncidentKind::kCheckViolation:
        return "total_check";
      case IncidentKind::kExclusionViolation:
        return "total_exclusion";
      default:
        return "total_other";
    }
  }

  uint64_t count(QueryId query) {
    constexpr size_t kMaxShapes = 10'000;
    if (counts_.size() >= kMaxShapes && !counts_.contains(query)) counts_.clear();
    return ++counts_[query];
  }

  const uint64_t warning_count_;
  std::map<QueryId, uint64_t> counts_;
};

std::string summarize(const Finding& finding) {
  const std::string what = finding.query.summary.empty() ? "A write" : finding.query.summary;
  return what + " was refused " + counted(finding.occurrences, "time", "times") +
         " for a constraint" +
         (finding.tables.empty() ? std::string() : " of " + finding.tables.front()) + ".";
}

}  // namespace

DetectorEntry describe_constraint_violation() {
  return {"constraint_violation",
          "Constraint violations",
          Occurrence::kExecution,
          kOptions,
          [](const Options& options) -> std::unique_ptr<Detector> {
            return std::make_unique<ConstraintViolation>(options);
          },
          &summarize,
          kHearsIncidents};
}

}  // namespace ectoscope
