#include "daemon/why.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>

#include "config/values.h"
#include "detectors/registry.h"
#include "findings/gate.h"
#include "findings/identity.h"

namespace ectoscope {
namespace {

constexpr size_t kMostMisses = 20;           // told
constexpr size_t kMostIdsTried = 2'000'000;  // about a second

const DetectorEntry* entry_of(std::string_view kind) {
  for (const DetectorEntry& entry : detector_registry()) {
    if (entry.name == kind) return &entry;
  }
  return nullptr;
}

/// "n_plus_one_read-5f0c2a9e7d3b1c44" or "n_plus_one_read".
std::string_view kind_of(std::string_view asked) {
  const size_t dash = asked.rfind('-');
  return dash == std::string_view::npos ? asked : asked.substr(0, dash);
}

bool is_id(std::string_view asked) {
  return asked.find('-') != std::string_view::npos;
}

/// Which shape, of which database, an id is about.
struct Shape {
  QueryId query = kNoQuery;
  QueryId parent = kNoQuery;
  std::string database;
};

/// An id is a hash: it is found again by trying the shapes that this log has.
std::optional<Shape> shape_of(const std::string& id, const Config& config,
                              const Pipeline& pipeline) {
  const QueryTable& queries = pipeline.queries();
  const std::string kind(kind_of(id));
  size_t tried = 0;
  for (const std::string& database : pipeline.databases()) {
    for (QueryId child = 1; child < queries.size(); ++child) {
      for (QueryId parent = 0; parent < queries.size(); ++parent) {
        const bool reads = parent == kNoQuery || queries[parent].operation == Operation::kSelect;
        if (!reads) continue;
        if (++tried > kMostIdsTried) return std::nullopt;
        const std::string_view before =
            parent == kNoQuery ? std::string_view() : std::string_view(queries[parent].canonical);
        if (finding_id({kind, config.server(), database, queries[child].canonical, before}) == id)
          return Shape{child, parent, database};
      }
    }
  }
  return std::nullopt;
}

/// As a person would write it.
double readable_value(const OptionSpec& spec, double value) {
  constexpr double kSteps = 1000;
  const bool plain =
      spec.type == OptionSpec::Type::kRatio || spec.type == OptionSpec::Type::kInteger;
  return plain ? std::round(value * kSteps) / kSteps : value;
}

Miss describe(const NearMissBook::Kept& kept, const DetectorEntry& entry, const std::string& server,
              const QueryTable& queries) {
  const NearMiss& nearest = kept.nearest;
  Miss miss;
  miss.kind = kept.kind;
  miss.database = kept.database;
  const auto canonical = [&queries](QueryId id) {
    return id == kNoQuery ? std::string_view() : std::string_view(queries[id].canonical);
  };
  miss.id = finding_id(
      {kept.kind, server, kept.database, canonical(nearest.query), canonical(nearest.parent)});
  if (nearest.query != kNoQuery) miss.query = query_facts(queries[nearest.query]);
  miss.value = nearest.value;
  miss.wanted = nearest.wanted;
  miss.why = nearest.why;
  miss.times = kept.times;
  for (const OptionSpec& spec : entry.options) {
    if (spec.key != nearest.option) continue;
    miss.option = "detectors." + kept.kind + "." + std::string(spec.key);
    miss.seen = show_value(spec.type, readable_value(spec, nearest.value));
    miss.threshold = show_value(spec.type, nearest.wanted);
  }
  return miss;
}

bool enabled(const Config& config, std::string_view kind) {
  const auto& detectors = config.detectors();
  return std::any_of(detectors.begin(), detectors.end(),
                     [kind](const DetectorConfig& it) { return it.name == kind && it.enabled; });
}

/// What is known of the asked finding itself; empty when it is none of these.
std::string fate_of(const std::string& asked, const AnalysisReport& report) {
  for (const Finding& finding : report.findings) {
    if (finding.id == asked) return "It is reported.";
  }
  for (const IgnoredFinding& ignored : report.ignoring.findings) {
    if (ignored.finding.id != asked) continue;
    return "It was found, and is ignored by the rule in " + ignored.rule.where + ": " +
           ignored.rule.reason;
  }
  return {};
}

std::string counts_of(std::string_view kind, const AnalysisReport& report) {
  const auto reported =
      std::count_if(report.findings.begin(), report.findings.end(),
                    [kind](const Finding& finding) { return finding.kind == kind; });
  const auto ignored =
      std::count_if(report.ignoring.findings.begin(), report.ignoring.findings.end(),
                    [kind](const IgnoredFinding& it) { return it.finding.kind == kind; });
  return std::to_string(reported) + " of this kind reported, " + std::to_string(ignored) +
         " ignored.";
}

std::string ignored_statements(const Query& query, const AnalysisReport& report) {
  for (const IgnoredShape& shape : report.ignoring.shapes) {
    if (shape.query.text != query.text) continue;
    return " " + std::to_string(shape.executions) +
           " of its executions carry an ectoscope:ignore comment and were not judged.";
  }
  return {};
}

}  // namespace

std::string problem_with_why(const std::string& asked) {
  const std::string_view kind = kind_of(asked);
  if (entry_of(kind) != nullptr || kind == kScaleKind) return {};
  std::vector<std::string_view> kinds;
  for (const DetectorEntry& entry : detector_registry())
    kinds.push_back(entry.name);
  std::string problem = in_quotes(asked) + " is neither the kind nor the id of a finding";
  if (const auto near = nearest(kind, kinds))
    problem += "; did you mean " + std::string(*near) + "?";
  return problem;
}

void describe_misses(const NearMissBook& book, const DetectorEntry& entry,
                     const std::string& server, const QueryTable& queries,
                     std::vector<Miss>& misses) {
  const std::vector<NearMissBook::Kept> kept = book.misses(entry.name);
  const size_t shown = std::min(kept.size(), kMostMisses);
  for (size_t i = 0; i < shown; ++i)
    misses.push_back(describe(kept[i], entry, server, queries));
}

Explanation explain(const std::string& asked, const Config& config, const Pipeline& pipeline,
                    const AnalysisReport& report) {
  Explanation explanation;
  explanation.asked = asked;
  const std::string_view kind = kind_of(asked);
  const DetectorEntry* entry = entry_of(kind);
  if (entry == nullptr || pipeline.near_misses() == nullptr) return explanation;
  std::string& answer = explanation.answer;
  answer = is_id(asked) ? fate_of(asked, report) : counts_of(kind, report);
  std::optional<Shape> shape;
  if (is_id(asked) && answer.empty()) {
    shape = shape_of(asked, config, pipeline);
    answer = shape ? "It was not found. " + pipeline.queries()[shape->query].summary +
                         " is in this log." +
                         ignored_statements(pipeline.queries()[shape->query], report)
                   : "No statements in this log, of this server name and these databases, make "
                     "this id. All that nearly was one of its kind is below.";
  }
  if (!enabled(config, kind)) answer += " detectors." + std::string(kind) + ".enabled is false.";
  if (const std::string blind = blindness(report.input); !blind.empty()) answer += " " + blind;
  for (const NearMissBook::Kept& kept : pipeline.near_misses()->misses(kind)) {
    if (shape && (kept.nearest.query != shape->query || kept.database != shape->database)) continue;
    if (explanation.misses.size() == kMostMisses) {
      ++explanation.misses_left_out;
    } else {
      explanation.misses.push_back(describe(kept, *entry, config.server(), pipeline.queries()));
    }
  }
  return explanation;
}

}  // namespace ectoscope
