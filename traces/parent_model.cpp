#include "traces/parent_model.h"

#include <algorithm>

#include "core/relations.h"

namespace ectoscope {
namespace {

constexpr double kPriorWeight = 3;   // loops that the prior counts for
constexpr double kLimitIsCount = 8;  // a page of 20 and a loop of 20
constexpr double kLimitTooSmall = 0.1;
constexpr double kLeastRate = 1e-8;
constexpr double kNamed = 4;  // prior of shapes that names relate
// A shape that names do not relate must have come before this loop more than once or by chance.
constexpr double kLeastMass = 2;
constexpr double kLeastShare = 0.2;  // of the loops

}  // namespace

double parent_prior(const Query& parent, const Query& child) {
  if (parent.operation != Operation::kSelect || parent.system || parent.id == child.id) return 0;
  double prior = 1;
  if (parent.aggregate) prior *= 0.1;
  // Found by a key of its own, it returns one row, and leads to no loop.
  if (parent.key_form == KeyForm::kSingle && !parent.key_column.ends_with("_id")) prior *= 0.2;
  if (parent.has_limit || !parent.order_by.empty()) prior *= 2;
  if (child.tables.empty() || parent.tables.empty()) return prior;
  const bool rows = child.operation != Operation::kInsert;
  if (rows && refers_to(child.key_column, parent.tables[0])) return prior * 6;
  if (rows && child.key_column == "id") {
    if (names_reference(parent, child.tables[0])) prior *= 4;
    if (child.operation != Operation::kSelect && parent.tables[0] == child.tables[0]) prior *= 6;
  }
  return prior;
}

// Every read's weight, and the weight of having no parent.
ParentModel::Weighed ParentModel::weigh(const LoopStart& loop, std::span<const Execution> reads,
                                        const QueryTable& queries,
                                        const std::map<QueryId, double>& rates,
                                        const GapModel& gaps, const Seen& seen) {
  Weighed weighed;
  double priors = 1;  // of having no parent
  for (const Execution& read : reads) {
    const auto [at, added] = weighed.priors.try_emplace(read.query, 0);
    if (!added) continue;
    at->second = parent_prior(queries[read.query], *loop.query);
    priors += at->second;
  }
  const double all = seen.total + kPriorWeight;
  weighed.total = (seen.none + kPriorWeight / priors) / all;
  for (const Execution& read : reads) {
    const double prior = weighed.priors[read.query];
    if (prior == 0) continue;
    const auto known = seen.parents.find(read.query);
    const double share =
        ((known == seen.parents.end() ? 0 : known->second) + kPriorWeight * prior / priors) / all;
    const auto rate = rates.find(read.query);
    double weight = share * gaps.density(loop.started_at - read.ended_at) /
                    std::max(rate == rates.end() ? 0 : rate->second, kLeastRate);
    if (read.limit >= 0) {
      const auto limit = static_cast<uint64_t>(read.limit);
      if (limit == loop.count) weight *= kLimitIsCount;
      if (limit + 1 < loop.count) weight *= kLimitTooSmall;
    }
    weighed.reads.emplace_back(&read, weight);
    weighed.total += weight;
  }
  return weighed;
}

const Execution* ParentModel::choose(const LoopStart& loop, std::span<const Execution> reads,
                                     const QueryTable& queries,
                                     const std::map<QueryId, double>& rates, const GapModel& gaps) {
  if (pairs_ > kMaxPairs) {
    children_.clear();
    pairs_ = 0;
  }
  Seen& seen = children_[loop.query->id];
  Weighed weighed = weigh(loop, reads, queries, rates, gaps, seen);
  const Execution* best = nullptr;
  double best_weight = 0;
  for (const auto& [read, weight] : weighed.reads) {
    if (weight <= best_weight) continue;
    best = read;
    best_weight = weight;
  }
  // One shape may have several candidates; the shape is what matters, and its likeliest run.
  double shape_weight = 0;
  for (const auto& [read, weight] : weighed.reads) {
    if (best != nullptr && read->query == best->query) shape_weight += weight;
    double& mass = seen.parents[read->query];
    if (mass == 0) ++pairs_;
    mass += weight / weighed.total;
  }
  seen.none += std::max(0.0, 1 - std::min(1.0, shape_weight / weighed.total));
  seen.total += 1;
  if (best == nullptr || shape_weight <= 0.5 * weighed.total) return nullptr;
  if (weighed.priors[best->query] >= kNamed) return best;
  const double mass = seen.parents[best->query];
  return mass >= kLeastMass && mass >= kLeastShare * seen.total ? best : nullptr;
}

}  // namespace ectoscope
