// A finding's life in the daemon: the last 24 hours, whether it is news, resolved, acknowledged.
//
// It resolves when its shape ran on without it (docs/adr/0008), never because nothing runs.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/query.h"
#include "core/snapshot.h"
#include "findings/finding_book.h"
#include "findings/owner_list.h"
#include "findings/statement_book.h"
#include "findings/stored.h"
#include "findings/totals_codec.h"

namespace ectoscope {

struct TrackerLimits {
  Micros max_event_age{60'000'000};
  Micros keep{30LL * 86'400'000'000};
};

/// Threads: one at a time.  The books and the table must outlive it.
class FindingTracker {
 public:
  FindingTracker(FindingBook& book, const StatementBook& statements, const QueryTable& queries,
                 TrackerLimits limits)
      : book_(book), statements_(statements), queries_(queries), limits_(limits) {}

  void set_limits(TrackerLimits limits) { limits_ = limits; }
  /// It shows at the next update.
  void set_owners(OwnerList owners);

  /// The book's hooks of these names.
  void counted(const std::string& id, const Occurred& occurred);
  std::optional<std::string> make_room();

  /// What is said of indexes may have changed: such findings are made anew at the next update.
  void advise_again();

  /// Looks at what changed since the last call.
  void update(EventTime event_now, EventTime wall);

  /// Costliest first.
  [[nodiscard]] std::vector<std::shared_ptr<const TrackedFinding>> findings() const;

  /// Of this process, by database and kind.
  using ByKind = std::map<std::pair<std::string, std::string>, uint64_t>;
  [[nodiscard]] const ByKind& occurrences() const { return occurrences_; }
  [[nodiscard]] uint64_t excess_statements() const { return excess_statements_; }
  [[nodiscard]] Micros excess() const { return excess_; }

  void acknowledge(const std::string& id, const Acknowledgement& acknowledgement);

  /// Adds what changed since the last call to what is to be stored.
  void store_changes(StoredServer& into);
  /// The store was lost: all is to be stored at the next call.
  void store_all_again();
  /// `entry` and the ids of the shapes are this process'.  False when the totals are unreadable.
  bool restore(const StoredFinding& stored, const DetectorEntry& entry, const ShapeTexts& shapes,
               size_t max_examples);
  void restore(const StoredHour& hour);

 private:
  struct Sums {
    uint64_t occurrences = 0;
    uint64_t statements = 0;
    uint64_t excess_statements = 0;
    Micros database_time{0};
    Micros saved{0};
    void add(const Sums& other);
  };
  struct Hour {
    EventTime start;
    Sums sums;
    bool changed = false;
  };
  struct Life {
    std::shared_ptr<const TrackedFinding> shown;
    std::deque<Hour> hours;  // of the last day
    Sums expired;            // of all before them
    bool active = true;
    bool live = false;
    EventTime last_seen = EventTime::min();
    std::optional<EventTime> resolved_at;
    ShapeRuns at_first;
    ShapeRuns at_last;
    std::optional<Acknowledgement> acknowledged;
    bool changed = false;
  };

  static Hour& hour_of(Life& life, EventTime at);
  void show(Finding finding, EventTime wall);
  void expire_hours(Life& life, EventTime event_now);
  [[nodiscard]] ShapeRuns runs_of(const FindingBook::Known& known) const;
  [[nodiscard]] bool ran_on(const std::string& id, const Life& life, EventTime event_now) const;
  void resolve(EventTime event_now);
  void forget_old(EventTime event_now);

  FindingBook& book_;
  const StatementBook& statements_;
  const QueryTable& queries_;
  TrackerLimits limits_;
  OwnerList owners_;
  std::map<std::string, Life> lives_;
  std::vector<std::string> forgotten_;
  std::set<std::string> stale_;  // shown anew at the next update
  ByKind occurrences_;
  uint64_t excess_statements_ = 0;
  Micros excess_{0};
  EventTime looked_at_ = EventTime::min();
};

}  // namespace ectoscope
