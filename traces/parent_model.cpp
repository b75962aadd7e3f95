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

double ParentModel::prior_of(const Query& parent, const Query& child) {
  if (priors_.size() >= kMaxPriors) priors_.clear();
  const auto [known, is_new] = priors_.try_emplace(uint64_t{parent.id} << 32U | child.id, 0);
  if (is_new) known->second = parent_prior(parent, child);
  return known->second;
}

// The different shapes of `reads`, the latest first; returns the sum of their priors, with that of
// having no parent.
double ParentModel::find_shapes(const Query& child, std::span<const Read> reads,
                                const QueryTable& queries) {
  shapes_.clear();
  shape_of_.resize(reads.size());
  places_.fill(0);
  double priors = 1;
  for (size_t i = reads.size(); i-- > 0;) {
    const QueryId query = reads[i].query;
    size_t place = query % kPlaces;
    while (places_[place] != 0 && shapes_[places_[place] - 1U].query != query)
      place = (place + 1) % kPlaces;
    if (places_[place] == 0) {
      shapes_.push_back({.query = query, .prior = prior_of(queries[query], child)});
      places_[place] = static_cast<uint16_t>(shapes_.size());
      priors += shapes_.back().prior;
    }
    shape_of_[i] = places_[place] - 1U;
  }
  return priors;
}

// All that a parent is told by.  NOLINTNEXTLINE(readability-function-size)
double ParentModel::weigh(const LoopStart& loop, std::span<const Read> reads,
                          const QueryTable& queries, const ShapeRates& rates, const GapModel& gaps,
                          const Seen& seen) {
  const double priors = find_shapes(*loop.query, reads, queries);
  const double all = seen.total + kPriorWeight;
  for (Shape& shape : shapes_) {
    if (shape.prior == 0) continue;
    const auto known = seen.parents.find(shape.query);
    shape.share =
        ((known == seen.parents.end() ? 0 : known->second) + kPriorWeight * shape.prior / priors) /
        all;
    const auto rate = rates.find(shape.query);
    shape.rate = std::max(rate == rates.end() ? 0 : rate->second, kLeastRate);
  }
  weighed_.clear();
  double total = (seen.none + kPriorWeight / priors) / all;
  for (size_t i = reads.size(); i-- > 0;) {
    const Read& read = reads[i];
    const Shape& shape = shapes_[shape_of_[i]];
    if (shape.prior == 0) continue;
    double weight = shape.share * gaps.density(loop.started_at - read.ended_at) / shape.rate;
    if (read.limit >= 0) {
      const auto limit = static_cast<uint64_t>(read.limit);
      if (limit == loop.count) weight *= kLimitIsCount;
      if (limit + 1 < loop.count) weight *= kLimitTooSmall;
    }
    weighed_.push_back({&read, shape_of_[i], weight});
    total += weight;
  }
  return total;
}

const Read* ParentModel::choose(const LoopStart& loop, std::span<const Read> reads,
                                const QueryTable& queries, const ShapeRates& rates,
                                const GapModel& gaps) {
  if (pairs_ > kMaxPairs) {
    children_.clear();
    pairs_ = 0;
  }
  Seen& seen = children_[loop.query->id];
  const double total = weigh(loop, reads, queries, rates, gaps, seen);
  const Weighed* best = nullptr;
  for (const Weighed& one : weighed_) {
    if (one.weight > (best == nullptr ? 0 : best->weight)) best = &one;
  }
  // One shape may have several candidates; the shape is what matters, and its likeliest run.
  double shape_weight = 0;
  for (const Weighed& one : weighed_) {
    Shape& shape = shapes_[one.shape];
    if (best != nullptr && one.shape == best->shape) shape_weight += one.weight;
    if (shape.mass == nullptr) shape.mass = &seen.parents[shape.query];
    if (*shape.mass == 0) ++pairs_;
    *shape.mass += one.weight / total;
  }
  seen.none += std::max(0.0, 1 - std::min(1.0, shape_weight / total));
  seen.total += 1;
  if (best == nullptr || shape_weight <= 0.5 * total) return nullptr;
  const Shape& shape = shapes_[best->shape];
  if (shape.prior >= kNamed) return best->read;
  const double mass = *shape.mass;
  return mass >= kLeastMass && mass >= kLeastShare * seen.total ? best->read : nullptr;
}

}  // namespace ectoscope
