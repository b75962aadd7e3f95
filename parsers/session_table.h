// What ExecutionBuilder remembers of each backend between two records.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/execution.h"
#include "core/plan.h"
#include "parsers/parameters.h"

namespace ectoscope {

/// A parse or bind that waits for its execute.
struct PendingPhase {
  bool open = false;
  bool parsed = false;  // of a bind: holds its parse too
  EventTime started_at;
  EventTime ended_at;
  Micros duration{0};
  uint64_t name = 0;  // hash of the label
  int64_t query_id = 0;
  uint64_t transaction = 0;       // of a bind
  bool planned = false;           // of a bind: auto_explain spoke since
  QueryId plan_query = kNoQuery;  // what it spoke of last
};

/// An execution that is not complete, or not yet known to be one.
struct PendingExecution {
  bool open = false;
  Execution execution;
  ValueHashes literals;  // its parameters may come late
  bool own_plan = false;
  std::shared_ptr<const Plan> plan;  // its own; null where it could not be read
};

/// The newest execution that was built, to tie a plan or late parameters to it.
struct LastExecution {
  bool known = false;
  uint64_t number = 0;  // in the order of building
  QueryId query = kNoQuery;
  ValueHashes literals;
  bool own_plan = false;  // its own, not only one of a statement nested in it
};

/// The backend of one pid.
struct Session {
  uint64_t key = 0;
  uint64_t last_used = 0;
  uint64_t hash = 0;  // of the session id, else of the pid
  StreamId stream = 0;
  std::string id;                      // as logged; short
  std::array<PendingPhase, 4> parses;  // [0]: of the unnamed statement
  uint8_t next_named = 0;              // parses[1 + next_named] is overwritten next
  PendingPhase bind;
  std::string bind_detail;                // its parameters; holds literals, bounded
  std::array<PendingPhase, 2> bare;       // durations without a text, oldest first
  PendingExecution statement;             // log_statement's form, its duration to come
  std::array<PendingExecution, 4> plans;  // their execute to come, if it is ever logged
  uint8_t plans_open = 0;
  std::vector<PendingExecution> loose_plans;  // of the run under way, and of those nested in it
  LastExecution last;
};

/// Sessions by key, bounded.  When it is full the half that was silent for the longest goes.
///
/// References are valid until the next get().
class SessionTable {
 public:
  /// `evicting` sees each session before it goes, in a fixed order.
  SessionTable(size_t capacity, std::function<void(Session&)> evicting);

  /// Null when there is none.
  Session* find(uint64_t key);
  /// Makes one if need be.
  Session& get(uint64_t key);

  /// In a fixed order.
  void for_each(const std::function<void(Session&)>& visit);
  [[nodiscard]] size_t size() const { return size_; }

 private:
  [[nodiscard]] size_t slot_of(uint64_t key) const;
  void evict_silent_half();

  size_t capacity_;
  std::function<void(Session&)> evicting_;
  std::vector<std::unique_ptr<Session>> sessions_;  // the first size_ are in use
  std::vector<uint32_t> slots_;                     // index into sessions_ plus 1; 0: empty
  size_t size_ = 0;
  uint64_t clock_ = 0;
  Session* latest_ = nullptr;
};

}  // namespace ectoscope
