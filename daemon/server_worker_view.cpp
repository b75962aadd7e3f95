// What ServerWorker shows: its part of the snapshot.
#include <algorithm>
#include <utility>

#include "daemon/server_worker.h"

namespace ectoscope {
namespace {

constexpr size_t kShownQueries = 1000;

}  // namespace

SourceState ServerWorker::describe(const Source& source) const {
  SourceState state;
  state.server = server_.name;
  state.name = source.status.path;
  state.up = source.status.tried && source.status.problem.empty();
  state.problem = source.status.problem;
  state.position = source.status.position;
  state.size = source.status.size;
  if (source.newest != EventTime::min()) state.last_event = source.newest;
  return state;
}

std::map<std::string, uint64_t> ServerWorker::dropped() const {
  std::map<std::string, uint64_t> dropped;
  const auto add = [&dropped](const std::string& reason, uint64_t count) {
    if (count > 0) dropped[reason] += count;
  };
  for (const Source& source : sources_) {
    for (const auto& [reason, count] : source.drops)
      add(reason, count);
    add("lost_in_restart", source.progress.lost());
  }
  if (link_) {
    for (const auto& [reason, count] : link_->dropped())
      add(reason, count);
  }
  add("findings_full", analysis_->book().dropped());
  add("open_too_many", out_of_reach_);
  return dropped;
}

ServerState ServerWorker::describe() const {
  ServerState state;
  state.server = server_.name;
  add_sources(state);
  if (link_) {
    if (const auto asked = link_->state()) state.up = state.up && asked->up;
  }
  state.dropped = dropped();
  for (size_t rung = 0; rung < state.traces.size(); ++rung)
    state.traces[rung] = analysis_->grouper().traces(static_cast<GroupedBy>(rung));
  state.open_traces = analysis_->grouper().open_traces();
  state.statements = statements_.counts();
  state.detector_seconds = analysis_->detector_seconds();
  state.occurrences = tracker_->occurrences();
  state.excess_statements = tracker_->excess_statements();
  state.excess_seconds = static_cast<double>(tracker_->excess().count()) / 1e6;
  if (!sources_.empty()) state.fidelity = sources_.front().fidelity;
  return state;
}

/// What the logs' readers told last.
void ServerWorker::add_sources(ServerState& state) const {
  state.up = true;
  EventTime newest = EventTime::min();
  bool behind = false;
  for (const Source& source : sources_) {
    state.up = state.up && source.status.tried && source.status.problem.empty();
    state.bytes += source.bytes;
    state.records += source.records;
    newest = std::max(newest, source.newest);
    behind = behind || !source.idle || source.status.behind;
  }
  if (behind && newest != EventTime::min()) {
    const Micros lag = around_.clock.wall() - newest;
    state.lag_seconds = std::max(0.0, static_cast<double>(lag.count()) / 1e6);
  }
}

void ServerWorker::publish() {
  auto view = std::make_shared<ServerView>();
  tracker_->update(event_now_, around_.clock.wall());
  view->findings = tracker_->findings();
  view->queries = statements_.heaviest(kShownQueries);
  view->tried = true;
  for (const Source& source : sources_) {
    view->tried = view->tried && source.status.tried;
    view->sources.push_back(describe(source));
  }
  if (link_) {
    view->tried = view->tried && link_->tried();
    if (auto state = link_->state()) view->sources.push_back(std::move(*state));
  }
  view->state = describe();
  ignored_.hide(view->findings, view->state, around_.queries, around_.clock.wall());
  view->nearly_found =
      near_misses_.shown(around_.queries, around_.clock.steady(), around_.clock.wall());
  published_at_ = around_.clock.steady();
  changed_ = false;
  const std::lock_guard lock(mutex_);
  view_ = std::move(view);
}

}  // namespace ectoscope
