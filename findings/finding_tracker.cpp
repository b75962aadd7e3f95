#include "findings/finding_tracker.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace ectoscope {
namespace {

constexpr Micros kHour{3'600'000'000};
constexpr int kShownHours = 24;
constexpr Micros kLookEvery{10'000'000};  // of event time

// A problem that strikes at random each m executions stays away for ten times as many by chance
// once in 20,000 times; thirty and ten minutes are for problems that were hardly seen yet.
constexpr uint64_t kLeastRuns = 30;
constexpr uint64_t kTimes = 10;
constexpr uint64_t kLeastStatements = 1000;  // where no shape is at fault
constexpr Micros kLeastTime{600'000'000};

EventTime hour_start(EventTime at) {
  return EventTime(std::chrono::floor<std::chrono::hours>(at.time_since_epoch()));
}

uint64_t since(uint64_t now, uint64_t then) {
  return now > then ? now - then : 0;
}

}  // namespace

void FindingTracker::Sums::add(const Sums& other) {
  occurrences += other.occurrences;
  statements += other.statements;
  excess_statements += other.excess_statements;
  database_time += other.database_time;
  saved += other.saved;
}

FindingTracker::Hour& FindingTracker::hour_of(Life& life, EventTime at) {
  const EventTime start = hour_start(at);
  auto hour = std::lower_bound(life.hours.begin(), life.hours.end(), start,
                               [](const Hour& each, EventTime when) { return each.start < when; });
  if (hour == life.hours.end() || hour->start != start)
    hour = life.hours.insert(hour, Hour{start, {}, false});
  return *hour;
}

void FindingTracker::counted(const std::string& id, const Occurred& occurred) {
  const Observation& is = occurred.observation;
  Life& life = lives_[id];
  Hour& hour = hour_of(life, is.ended_at);
  hour.sums.add({occurred.count, is.statements, is.excess_statements, is.database_time, is.saved});
  hour.changed = true;
  life.changed = true;
  excess_statements_ += is.excess_statements;
  excess_ += is.saved;
  if (const auto known = book_.known(id))
    occurrences_[{known->database, std::string(known->entry.name)}] += occurred.count;
}

ShapeRuns FindingTracker::runs_of(const FindingBook::Known& known) const {
  ShapeRuns runs;
  if (known.query != kNoQuery) runs.child = statements_.executions(known.database, known.query);
  if (known.parent != kNoQuery) runs.parent = statements_.executions(known.database, known.parent);
  runs.database = statements_.executions(known.database);
  return runs;
}

void FindingTracker::advise_again() {
  for (const auto& [id, life] : lives_) {
    // A missing index under a trigger has none before the catalog names its table.
    const bool of_plan = life.shown && (life.shown->finding.fix.index || life.shown->finding.plan);
    if (of_plan) stale_.insert(id);
  }
}

void FindingTracker::set_owners(OwnerList owners) {
  if (owners == owners_) return;
  owners_ = std::move(owners);
  for (const auto& [id, life] : lives_)
    stale_.insert(id);
}

void FindingTracker::update(EventTime event_now, EventTime wall) {
  for (std::string& id : book_.take_changes())
    stale_.insert(std::move(id));
  const bool first = looked_at_ == EventTime::min();
  if (event_now != EventTime::min() && (first || event_now - looked_at_ >= kLookEvery)) {
    looked_at_ = event_now;
    for (auto& [id, life] : lives_) {
      const size_t before = life.hours.size();
      expire_hours(life, event_now);
      if (life.hours.size() != before) stale_.insert(id);
    }
    resolve(event_now);
    forget_old(event_now);
  }
  const std::vector<std::string> ids(stale_.begin(), stale_.end());
  stale_.clear();
  for (Finding& finding : book_.findings(ids))
    show(std::move(finding), wall);
}

void FindingTracker::expire_hours(Life& life, EventTime event_now) {
  while (!life.hours.empty() && !life.hours.front().changed &&
         life.hours.front().start + kHour * kShownHours <= event_now) {
    life.expired.add(life.hours.front().sums);
    life.hours.pop_front();
  }
}

void FindingTracker::show(Finding finding, EventTime wall) {
  Life& life = lives_[finding.id];
  if (finding.last_seen > life.last_seen) {  // it came again
    const auto known = book_.known(finding.id);
    if (life.last_seen == EventTime::min()) life.at_first = runs_of(*known);
    life.at_last = runs_of(*known);
    life.last_seen = finding.last_seen;
    // What alerts goes on alerting when the log is caught up with after a pause.
    life.live = (life.live && life.active) || wall - finding.last_seen <= limits_.max_event_age;
    life.active = true;
    life.resolved_at.reset();
    life.changed = true;
  }
  auto shown = std::make_shared<TrackedFinding>();
  shown->total_occurrences = finding.occurrences;
  finding.occurrences -= std::min(finding.occurrences, life.expired.occurrences);
  finding.statements -= std::min(finding.statements, life.expired.statements);
  finding.excess_statements -= std::min(finding.excess_statements, life.expired.excess_statements);
  finding.database_time -= std::min(finding.database_time, life.expired.database_time);
  finding.saved -= std::min(finding.saved, life.expired.saved);
  for (const TimelineStep& step : finding.timeline) {
    if (step.query != kNoQuery)
      shown->shape_names.emplace(step.query, queries_[step.query].summary);
  }
  shown->team = owners_.team_of(finding);
  shown->active = life.active;
  shown->live = life.live && life.active;
  shown->resolved_at = life.resolved_at;
  if (life.acknowledged) {
    shown->acknowledged_at = life.acknowledged->at;
    shown->acknowledged_by = life.acknowledged->by;
    shown->acknowledged_why = life.acknowledged->why;
  }
  shown->finding = std::move(finding);
  life.shown = std::move(shown);
}

bool FindingTracker::ran_on(const std::string& id, const Life& life, EventTime event_now) const {
  if (life.last_seen == EventTime::min()) return false;  // counted, not yet shown
  if (event_now - life.last_seen < kLeastTime) return false;
  const auto known = book_.known(id);
  if (!known || known->totals.occurrences() == 0) return false;
  const uint64_t occurrences = known->totals.occurrences();
  const ShapeRuns now = runs_of(*known);
  const auto enough = [&](uint64_t runs, uint64_t first, uint64_t last, uint64_t least) {
    const uint64_t between = occurrences > 1 ? since(last, first) / (occurrences - 1) : 0;
    return since(runs, last) >= std::max(least, between * kTimes);
  };
  if (known->query == kNoQuery)
    return enough(now.database, life.at_first.database, life.at_last.database, kLeastStatements);
  const uint64_t each = std::max<uint64_t>(1, known->totals.worst().repeats);
  if (enough(now.child, life.at_first.child, life.at_last.child,
             std::max(kLeastRuns, each * kTimes)))
    return true;
  return known->parent != kNoQuery &&
         enough(now.parent, life.at_first.parent, life.at_last.parent, kLeastRuns);
}

void FindingTracker::resolve(EventTime event_now) {
  for (auto& [id, life] : lives_) {
    if (!life.active || !ran_on(id, life, event_now)) continue;
    life.active = false;
    life.live = false;
    life.resolved_at = event_now;
    life.changed = true;
    stale_.insert(id);
  }
}

void FindingTracker::forget_old(EventTime event_now) {
  for (auto it = lives_.begin(); it != lives_.end();) {
    if (it->second.last_seen == EventTime::min() ||
        event_now - it->second.last_seen < limits_.keep) {
      ++it;
      continue;
    }
    book_.forget(it->first);
    forgotten_.push_back(it->first);
    stale_.erase(it->first);
    it = lives_.erase(it);
  }
}

std::optional<std::string> FindingTracker::make_room() {
  // What is resolved goes before what is not, and of these what was seen last the longest ago.
  const auto first =
      std::min_element(lives_.begin(), lives_.end(), [](const auto& a, const auto& b) {
        return std::tie(a.second.active, a.second.last_seen) <
               std::tie(b.second.active, b.second.last_seen);
      });
  if (first == lives_.end() || first->second.active) return std::nullopt;
  std::string id = first->first;
  forgotten_.push_back(id);
  stale_.erase(id);
  lives_.erase(first);
  return id;
}

std::vector<std::shared_ptr<const TrackedFinding>> FindingTracker::findings() const {
  std::vector<std::shared_ptr<const TrackedFinding>> findings;
  for (const auto& [id, life] : lives_) {
    if (life.shown) findings.push_back(life.shown);
  }
  return findings;
}

void FindingTracker::acknowledge(const std::string& id, const Acknowledgement& acknowledgement) {
  const auto life = lives_.find(id);
  if (life == lives_.end()) return;
  life->second.acknowledged = acknowledgement;
  life->second.changed = true;
  stale_.insert(id);
}

void FindingTracker::store_changes(StoredServer& into) {
  into.forgotten = std::exchange(forgotten_, {});
  const ShapeTexts shapes{[this](QueryId id) { return queries_[id].text; }, {}};
  const auto text = [&](QueryId id) { return id == kNoQuery ? std::string() : queries_[id].text; };
  for (auto& [id, life] : lives_) {
    const auto known = book_.known(id);
    if (!std::exchange(life.changed, false) || !known || known->totals.occurrences() == 0) continue;
    StoredFinding stored;
    stored.id = id;
    stored.kind = known->entry.name;
    stored.server = known->server;
    stored.database = known->database;
    stored.query = text(known->query);
    stored.parent = text(known->parent);
    stored.totals = TotalsCodec::encode(known->totals, shapes);
    stored.active = life.active;
    stored.live = life.live;
    stored.last_seen = life.last_seen;
    stored.resolved_at = life.resolved_at;
    stored.at_first = life.at_first;
    stored.at_last = life.at_last;
    stored.acknowledged = life.acknowledged;
    into.findings.push_back(std::move(stored));
    for (Hour& hour : life.hours) {
      if (!std::exchange(hour.changed, false)) continue;
      const Sums& sums = hour.sums;
      into.hours.push_back({id, hour.start, sums.occurrences, sums.statements,
                            sums.excess_statements, sums.database_time, sums.saved});
    }
  }
}

void FindingTracker::store_all_again() {
  for (auto& [id, life] : lives_) {
    life.changed = true;
    for (Hour& hour : life.hours)
      hour.changed = true;
  }
}

bool FindingTracker::restore(const StoredFinding& stored, const DetectorEntry& entry,
                             const ShapeTexts& shapes, size_t max_examples) {
  const auto totals = TotalsCodec::decode(stored.totals, max_examples, shapes);
  if (!totals) return false;
  const QueryId query = stored.query.empty() ? kNoQuery : shapes.id_of(stored.query);
  const QueryId parent = stored.parent.empty() ? kNoQuery : shapes.id_of(stored.parent);
  book_.restore(stored.id, {entry, stored.server, stored.database, query, parent, *totals});
  Life& life = lives_[stored.id];
  Finding whole;
  totals->fill(whole);
  life.expired = {whole.occurrences, whole.statements, whole.excess_statements, whole.database_time,
                  whole.saved};
  life.active = stored.active;
  life.live = stored.live;
  life.last_seen = stored.last_seen;
  life.resolved_at = stored.resolved_at;
  life.at_first = stored.at_first;
  life.at_last = stored.at_last;
  life.acknowledged = stored.acknowledged;
  return true;
}

void FindingTracker::restore(const StoredHour& hour) {
  const auto life = lives_.find(hour.finding);
  if (life == lives_.end()) return;
  Sums& sums = hour_of(life->second, hour.hour).sums;
  sums = {hour.occurrences, hour.statements, hour.excess_statements, hour.database_time,
          hour.saved};
  Sums& expired = life->second.expired;  // held all of it
  expired.occurrences -= std::min(expired.occurrences, sums.occurrences);
  expired.statements -= std::min(expired.statements, sums.statements);
  expired.excess_statements -= std::min(expired.excess_statements, sums.excess_statements);
  expired.database_time -= std::min(expired.database_time, sums.database_time);
  expired.saved -= std::min(expired.saved, sums.saved);
}

}  // namespace ectoscope
