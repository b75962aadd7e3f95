#include "traces/chain.h"

#include <algorithm>
#include <cmath>
#include <tuple>
#include <utility>

#include "core/relations.h"
#include "traces/end_order.h"

namespace ectoscope {
namespace {

constexpr Micros kParentSlack{1'000};  // stamps have milliseconds
constexpr size_t kLeastOfKey = 3;      // executions, in the mean
constexpr uint64_t kMostOfJob = 3;     // executions for each job: more is a loop within it
constexpr Micros kJobTakes{400'000};   // of a batch that began at once; longer ones are not told

bool reads_rows(const Query& query) {
  return query.operation == Operation::kSelect && !query.system;
}

}  // namespace

void Chain::note(const Execution& execution) {
  const Query& query = queries_[execution.query];
  if (reads_rows(query)) note(execution, shapes_[execution.query]);
}

void Chain::note(const Execution& execution, Shape& shape) {
  ++shape.reads;
  if (reads_.size() - first_read_ >= kMaxReads) drop_read();
  if (free_runs_.empty()) {
    free_runs_.push_back(static_cast<uint32_t>(runs_.size()));
    runs_.emplace_back();
  }
  const uint32_t run = free_runs_.back();
  free_runs_.pop_back();
  runs_[run] = execution;
  const auto oldest = reads_.begin() + static_cast<std::ptrdiff_t>(first_read_);
  auto place = reads_.end();
  while (place != oldest && std::prev(place)->ended_at >= execution.ended_at &&
         ended_before(execution, runs_[std::prev(place)->run]))
    --place;
  reads_.insert(place, {execution.ended_at, execution.query, execution.limit, run});
}

/// The oldest.
void Chain::drop_read() {
  free_runs_.push_back(reads_[first_read_++].run);
  if (first_read_ < kMaxReads) return;
  reads_.erase(reads_.begin(), reads_.begin() + static_cast<std::ptrdiff_t>(first_read_));
  first_read_ = 0;
}

void Chain::count(const Execution& execution) {
  models_.clock.add(execution.started_at);
  if (!queries_[execution.query].ends_job) return;
  jobs_.add(execution.ended_at);
  ++jobs_ended_;
}

void Chain::add(const Execution& execution, const Sink& sink) {
  if (!started_) {
    started_ = true;
    horizon_ = execution.ended_at + limits_.window;
  }
  advance(execution.ended_at, sink);
  models_.activity.add(execution.ended_at);
  const Query& query = queries_[execution.query];
  const bool reads = reads_rows(query);
  const bool loops = loops_over_keys(query, execution);
  if (!reads && !loops) return;
  Shape& shape = shapes_[execution.query];
  if (reads) note(execution, shape);
  if (!loops) return;
  if (shape.executions++ == 0) shape.jobs_before = jobs_ended_;
  if (shape.linker == nullptr) {
    auto& made = loops_[key_of(execution.query)];
    made = std::make_unique<LoopLinker>(query, limits_, workspace_);
    shape.linker = made.get();
  }
  shape.linker->add(execution);
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

// What each shape learns of gaps and pools helps those after it: the ones whose keys make links
// sure go first, so that the others are not weighed in an order that only their names make.
void Chain::take_turns() {
  turns_.clear();
  for (const auto& [key, linker] : loops_)
    turns_.push_back({linker->structured(), linker->first_seen(), key, linker.get()});
  std::sort(turns_.begin(), turns_.end(), [](const Turn& a, const Turn& b) {
    return std::tuple(-a.structured, a.first_seen, a.key) <
           std::tuple(-b.structured, b.first_seen, b.key);
  });
}

void Chain::close_window(EventTime horizon, const Sink& sink) {
  for (auto& [query, rate] : rates_)
    rate /= 2;
  for (auto& [query, shape] : shapes_) {
    const uint64_t reads = std::exchange(shape.reads, 0);
    if (reads == 0) continue;
    const double now = static_cast<double>(reads) / static_cast<double>(limits_.window.count());
    double& rate = rates_[query];
    rate = rate == 0 ? now : rate + now / 2;
  }
  waiting_ = 0;
  models_.choose_clock();
  models_.in_window = models_.activity.between(counted_, horizon);
  counted_ = horizon;
  take_turns();
  for (const Turn& turn : turns_) {
    turn.linker->process(horizon, models_, [&](const Loop& loop) { emit(turn, loop, sink); });
    waiting_ += turn.linker->waiting();
  }
  while (first_read_ < reads_.size() && reads_[first_read_].ended_at < horizon - limits_.max_age)
    drop_read();
  if (loops_.size() > kMaxLoops) forget_idle();
}

void Chain::forget_idle() {
  std::erase_if(shapes_, [](const auto& entry) {
    return entry.second.linker == nullptr || entry.second.linker->idle();
  });
  std::erase_if(loops_, [](const auto& entry) { return entry.second->idle(); });
  std::erase_if(rates_, [](const auto& entry) { return entry.second < 1e-12; });
}

void Chain::emit(const Turn& turn, const Loop& loop, const Sink& sink) {
  const Query& query = queries_[turn.key.second];
  const EventTime start = loop.executions.front().started_at;
  const auto oldest = reads_.begin() + static_cast<std::ptrdiff_t>(first_read_);
  const auto after =
      std::upper_bound(oldest, reads_.end(), start + kParentSlack,
                       [](EventTime at, const Read& read) { return at < read.ended_at; });
  auto from = after;
  while (from != oldest && static_cast<size_t>(after - from) < ParentModel::kMaxReads &&
         start - std::prev(from)->ended_at <= limits_.max_gap)
    --from;
  const LoopStart wanted{&query, start, loop.count};
  const Read* parent =
      parents_.choose(wanted, std::span(from, after), queries_, rates_, models_.time_gaps());
  executions_.clear();
  if (parent != nullptr) executions_.push_back(runs_[parent->run]);
  executions_.insert(executions_.end(), loop.executions.begin(), loop.executions.end());
  const double confidence = loop.confidence * (1 - share_of_jobs(shapes_[query.id], loop)) *
                            (1 - ticks_.share(loop.executions, turn.linker->usual_rate()));
  sink({executions_, query.id, parent != nullptr, loop.count, loop.duration, confidence,
        reads_rows(query) ? several_processes(loop) : 0});
}

// Jobs that run one after the other, or side by side, all do the same: what each did once is no
// loop, however steady it comes.  As many of them end meanwhile, or, where a batch began at once,
// shortly after and then more than before.  Jobs with loops of their own run the shape more often.
double Chain::share_of_jobs(const Shape& shape, const Loop& loop) const {
  if (shape.executions > kMostOfJob * (jobs_ended_ - shape.jobs_before)) return 0;
  const EventTime start = loop.executions.front().started_at;
  const EventTime end = loop.executions.back().ended_at;
  const auto ended = [this](EventTime from, EventTime to) {
    return static_cast<double>(jobs_.between(from, to));
  };
  const double before = ended(start - kJobTakes, start);
  const double after = ended(end, end + kJobTakes);
  const double more = std::max(0.0, after - before - std::sqrt(before));
  return std::min(1.0, (ended(start, end) + more) / static_cast<double>(loop.count));
}

// Looked at where the same is asked again and again: the tasks of a loop over different keys may
// well run side by side.
double Chain::several_processes(const Loop& loop) {
  const std::vector<Execution>& asked = loop.executions;
  if (asked.front().has(Execution::kCoarseTime)) return OverlapModel::kUnknown;
  own_.clear();
  for (const Execution& execution : asked)
    own_.push_back(execution.key_hash);
  std::sort(own_.begin(), own_.end());
  const auto keys = std::unique(own_.begin(), own_.end()) - own_.begin();
  if (static_cast<size_t>(keys) * kLeastOfKey > asked.size()) return OverlapModel::kUnknown;
  own_.clear();
  for (const Execution& execution : asked)
    own_.push_back(execution.position);
  std::sort(own_.begin(), own_.end());
  const EventTime end = asked.back().ended_at;
  const EventTime oldest = asked.front().started_at - (end - asked.front().started_at) -
                           OverlapModel::kBefore - kParentSlack;
  const auto known = reads_.begin() + static_cast<std::ptrdiff_t>(first_read_);
  const auto from =
      std::lower_bound(known, reads_.end(), oldest,
                       [](const Read& read, EventTime at) { return read.ended_at < at; });
  others_.clear();
  for (auto read = from; read != reads_.end(); ++read) {
    const Execution& run = runs_[read->run];
    if (run.started_at < end && !std::binary_search(own_.begin(), own_.end(), run.position))
      others_.push_back({run.started_at, run.ended_at});
  }
  return overlaps_.several(asked, others_, known == reads_.end() ? end : known->ended_at);
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
