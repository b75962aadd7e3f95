#include "detectors/support/ratio_suspects.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/relations.h"

namespace ectoscope {
namespace {

// Fewer calls agree by chance too easily.
constexpr uint64_t kMinCalls = 50;
constexpr double kTolerance = 0.1;  // between calls of the one and rows of the other
constexpr int64_t kPollsInARow = 3;
constexpr double kConfidence = 0.35;  // nobody saw them in one request
constexpr size_t kMaxShapes = 300;    // of each side and poll, those with most calls

/// One row's key compared by equality, and nothing else that could be another kind of question.
bool can_be_child(const Query& query) {
  return query.operation == Operation::kSelect && query.parsed && !query.system &&
         query.key_form == KeyForm::kSingle && !query.has_join && !query.range &&
         !query.has_offset && !query.locks_rows && query.tables.size() == 1;
}

/// Whose key it is: "posts" by "user_id" goes with rows of "users", "users" by "id" with rows of
/// whatever has a "user_id".
bool related(const Query& child, const Query& parent) {
  if (parent.tables.empty()) return false;
  if (child.key_column == "id") return names_reference(parent, child.key_table);
  return refers_to(child.key_column, parent.tables[0]);
}

bool as_many(uint64_t calls, uint64_t rows) {
  const auto more = static_cast<double>(std::max(calls, rows));
  const auto less = static_cast<double>(std::min(calls, rows));
  return more - less <= kTolerance * more;
}

std::vector<const StatementSample*> most_called(std::vector<const StatementSample*> samples) {
  std::stable_sort(samples.begin(), samples.end(),
                   [](const auto* left, const auto* right) { return left->calls > right->calls; });
  samples.resize(std::min(samples.size(), kMaxShapes));
  return samples;
}

Observation describe(const StatementSample& child, const StatementSample& parent,
                     const Query& query) {
  Observation observation;
  observation.query = child.query;
  observation.parent = parent.query;
  observation.severity = Severity::kInfo;
  observation.confidence = kConfidence;
  observation.remedy = query.aggregate ? Remedy::kGroupBy : Remedy::kPreload;
  observation.started_at = child.from;
  observation.ended_at = child.to;
  observation.statements = child.calls;
  observation.repeats = child.calls / parent.calls;
  observation.excess_statements = child.calls - parent.calls;
  observation.database_time = child.total_time;
  observation.saved = child.total_time - child.mean_time() * static_cast<int64_t>(parent.calls);
  observation.evidence["repeats"] =
      static_cast<double>(child.calls) / static_cast<double>(parent.calls);
  observation.evidence["calls_per_parent_row"] =
      static_cast<double>(child.calls) / static_cast<double>(parent.rows);
  return observation;
}

}  // namespace

bool RatioSuspects::can_be_parent(const StatementSample& sample, const Query& query) const {
  return query.operation == Operation::kSelect && !query.system && !query.aggregate &&
         sample.rows >= min_rows_ * sample.calls;
}

void RatioSuspects::judge(std::span<const StatementSample> samples, const QueryTable& queries,
                          Report& report) {
  ++polls_;
  std::vector<const StatementSample*> children;
  std::vector<const StatementSample*> parents;
  for (const StatementSample& sample : samples) {
    if (sample.log == InputFidelity::Statements::kAll) return;  // traces tell, and better
    const Query& query = queries[sample.query];
    if (can_be_parent(sample, query)) parents.push_back(&sample);
    if (sample.calls >= kMinCalls && can_be_child(query)) children.push_back(&sample);
  }
  children = most_called(std::move(children));
  parents = most_called(std::move(parents));
  for (const StatementSample* child : children) {
    for (const StatementSample* parent : parents) {
      if (child == parent || !as_many(child->calls, parent->rows)) continue;
      const Query& query = queries[child->query];
      if (!related(query, queries[parent->query])) continue;
      Pair& pair = pairs_[{child->database, {child->query, parent->query}}];
      ++pair.in_a_row;
      pair.poll = polls_;
      if (pair.in_a_row >= kPollsInARow) report.add(describe(*child, *parent, query));
    }
  }
  // What did not agree in this poll begins anew; other databases' pairs are theirs.
  const uint32_t database = samples.empty() ? 0 : samples.front().database;
  std::erase_if(pairs_, [&](const auto& entry) {
    return entry.first.first == database && entry.second.poll != polls_;
  });
}

}  // namespace ectoscope
