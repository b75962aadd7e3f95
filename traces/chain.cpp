#include "traces/chain.h"

#include <algorithm>

#include "core/relations.h"
#include "traces/end_order.h"

namespace ectoscope {
namespace {

constexpr size_t kMaxCandidates = 200;  // reads looked at for one parent
constexpr Micros kParentSlack{1'000};   // stamps have milliseconds

}  // namespace

void Chain::note(const Execution& execution) {
  const Query& query = queries_[execution.query];
  if (query.operation != Operation::kSelect || query.system) return;
  ++window_counts_[execution.query];
  auto place = reads_.end();
  while (place != reads_.begin() && ended_before(execution, *std::prev(place)))
    --place;
  reads_.insert(place, execution);
  if (reads_.size() > kMaxReads) reads_.pop_front();
}

void Chain::add(const Execution& execution, const Sink& sink) {
  if (!started_) {
    started_ = true;
    horizon_ = execution.ended_at + limits_.window;
  }
  advance(execution.ended_at, sink);
  models_.activity.add(execution.ended_at);
  note(execution);
  const Query& query = queries_[execution.query];
  if (!loops_over_keys(query, execution)) return;
  auto& linker = loops_[key_of(execution.query)];
  if (linker == nullptr) linker = std::make_unique<LoopLinker>(query, limits_);
  linker->add(execution);
  if (++waiting_ >= kMaxWaiting) close_window(execution.ended_at, sink);
}

void Chain::advance(EventTime now, const Sink& sink) {
  if (!started_ || now < horizon_ + kSettle) return;
  close_window(horizon_, sink);
  // Windows without an execution have nothing to assign, but let strands come to their end.
  const auto passed = (now - horizon_) / limits_.window;
  horizon_ += limits_.window * std::max<int64_t>(1, passed);
  if (passed > 1) close_window(horizon_ - limits_.window, sink);
}

void Chain::close_window(EventTime horizon, const Sink& sink) {
  for (auto& [query, rate] : rates_)
    rate /= 2;
  for (const auto& [query, count] : window_counts_) {
    const double now = static_cast<double>(count) / static_cast<double>(limits_.window.count());
    double& rate = rates_[query];
    rate = rate == 0 ? now : rate + now / 2;
  }
  window_counts_.clear();
  waiting_ = 0;
  models_.choose_clock();
  for (auto& [key, linker] : loops_) {
    const Query& query = queries_[key.second];
    linker->process(horizon, models_, [&](const Loop& loop) { emit(query, loop, sink); });
    waiting_ += linker->waiting();
  }
  while (!reads_.empty() && reads_.front().ended_at < horizon - limits_.max_age)
    reads_.pop_front();
  if (loops_.size() > kMaxLoops) forget_idle();
}

void Chain::forget_idle() {
  std::erase_if(loops_, [](const auto& entry) { return entry.second->idle(); });
  std::erase_if(rates_, [](const auto& entry) { return entry.second < 1e-12; });
}

void Chain::emit(const Query& query, const Loop& loop, const Sink& sink) {
  const EventTime start = loop.executions.front().started_at;
  candidates_.clear();
  auto after =
      std::upper_bound(reads_.begin(), reads_.end(), start + kParentSlack,
                       [](EventTime at, const Execution& read) { return at < read.ended_at; });
  while (after != reads_.begin() && candidates_.size() < kMaxCandidates) {
    --after;
    if (start - after->ended_at > limits_.max_gap) break;
    candidates_.push_back(*after);
  }
  const LoopStart wanted{&query, start, loop.count};
  const Execution* parent =
      parents_.choose(wanted, candidates_, queries_, rates_, models_.time_gaps());
  executions_.clear();
  if (parent != nullptr) executions_.push_back(*parent);
  executions_.insert(executions_.end(), loop.executions.begin(), loop.executions.end());
  sink({executions_, query.id, parent != nullptr, loop.count, loop.duration, loop.confidence});
}

void Chain::visit_open(const std::function<void(const Execution&)>& visit) const {
  for (const auto& [id, linker] : loops_)
    linker->visit_open(visit);
}

void Chain::finish(const Sink& sink) {
  if (!started_) return;
  EventTime end = horizon_ + limits_.window;
  close_window(end, sink);
  // Statements may claim to start later than they ended (a clock set back): none is left behind.
  end += std::chrono::hours(24 * 365);
  close_window(end, sink);
}

}  // namespace ectoscope
