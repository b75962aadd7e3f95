// From executions to traces: the grouping ladder.
//
//   traceparent   a trace id in a comment, where the comment can be believed
//   tag           a request_id in a comment
//   transaction   BEGIN to COMMIT on one session
//   chain         loops found by timing, keys and pools (chain.h)
//
// A transaction is held back until it ends: when one of its statements is tagged, all of them,
// BEGIN and COMMIT too, belong to that trace.  A log that does not show every statement may have
// the BEGIN and lack the COMMIT: the virtual xid tells that it is over; without one, what came
// between is not taken for a transaction.
//
// A comment on a named prepared statement is part of the statement's text for good: each later
// execution logs the trace id of the request that prepared it, long over.  Such ids are not
// believed; the statements are grouped by the rungs below.
#pragma once

#include <array>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <span>
#include <unordered_map>

#include "core/trace.h"
#include "traces/chain.h"
#include "traces/grouping_options.h"
#include "traces/open_trace.h"
#include "traces/write_linker.h"

namespace ectoscope {

/// Threads: one at a time.  Bounded in open traces, executions a trace, sessions and streams.
class Grouper {
 public:
  using Sink = std::function<void(const Trace&)>;

  /// When a trace is handed over: when it closes; or, for a log that grows, also when it has been
  /// quiet for a second, with `closed` unset, once for each time that it falls quiet.  Then a trace
  /// that never falls silent is closed after kLongestTrace, too.
  enum class Judging : uint8_t { kClosed, kEarlyToo };

  static constexpr Micros kEarly{1'000'000};
  static constexpr Micros kLongestTrace{600'000'000};

  /// `queries` must outlive it; `options` are of grouping_options().
  Grouper(const QueryTable& queries, const Options& options, Sink sink,
          Judging judging = Judging::kClosed);

  /// In the order of the log.  Traces that end by it go to the sink.
  void add(std::span<const Execution> executions);

  /// What an execution still waits for.
  struct Awaits {
    bool trace = false;         // the end of its trace, or its window's
    bool other_writes = false;  // writes that the same request makes without a transaction
  };

  /// An execution that was added before a restart, with what it waited for then: nothing more, and
  /// it only tells what led to others.
  void add_again(const Execution& execution, Awaits awaits);

  /// Event time has come to `now`, without another execution.
  void advance(EventTime now);

  /// The input ends: closes everything.
  void finish();

  /// Visits the executions that await their trace's end, each once.
  void visit_open(const std::function<void(const Execution&)>& visit) const;
  /// Visits those that await other writes, each once.
  void visit_writes(const std::function<void(const Execution&)>& visit) const;

  [[nodiscard]] size_t open_traces() const { return tagged_.size(); }

  /// Traces handed over or, for lone statements, counted, by rung.
  [[nodiscard]] uint64_t traces(GroupedBy rung) const { return counts_[static_cast<size_t>(rung)]; }
  /// Executions whose trace id was stale.
  [[nodiscard]] uint64_t stale() const { return stale_; }

 private:
  struct TagKey {
    TraceId id;
    uint64_t tag = 0;
    bool operator==(const TagKey&) const = default;
    [[nodiscard]] bool known() const { return id.known() || tag != 0; }
  };
  struct TagHash {
    size_t operator()(const TagKey& key) const { return key.id.low ^ (key.id.high * 31) ^ key.tag; }
  };
  struct Tagged {
    TagKey key;
    OpenTrace trace;
    uint64_t number = 0;
  };
  struct Session {
    bool open = false;         // between BEGIN and its end
    bool ended = false;        // it had a transaction before: the log did not begin within it
    uint64_t transaction = 0;  // of the last execution
    uint64_t own = 0;          // of the open transaction; 0: not logged
    TagKey tag;                // of the open transaction
    OpenTrace statements;
    EventTime last{};
  };

  static constexpr size_t kMaxSessions = 20'000;
  static constexpr size_t kMaxSpare = 8;
  static constexpr size_t kMostSpared = 32;  // executions
  static constexpr size_t kMaxStreams = 64;  // with a chain of their own

  void add_one(const Execution& execution, Awaits awaits);
  void add_write(const Execution& execution, bool awaits_others);
  static TagKey own_tag(const Execution& execution);
  TagKey believed_tag(const Execution& execution);
  bool add_to_transaction(const Execution& execution, const TagKey& tag);
  void end_transaction(Session& session);
  void end_unseen(Session& session);
  void cut_off(Session& session);
  void take_apart(Session& session);
  void count_transaction(uint64_t& kind);
  [[nodiscard]] bool are_torn() const;
  void add_tagged(const TagKey& key, const Execution& execution);
  std::list<Tagged>::iterator open_tagged(const TagKey& key);
  void touch(std::list<Tagged>::iterator tagged);
  void close(std::list<Tagged>::iterator tagged);
  void close_quiet(EventTime now);
  void judge_early(EventTime now);
  void close_endless(EventTime now);
  void limit_sessions(EventTime now);
  Chain& chain_of(StreamId stream);
  void emit(Trace trace, GroupedBy rung);
  void emit_loop(StreamId stream, const Chain::Found& found);
  WriteLinker& writes_of(StreamId stream);
  void emit_writes(StreamId stream, const WriteLinker::Found& found);

  const QueryTable& queries_;
  GroupingLimits limits_;
  Sink sink_;
  Judging judging_;
  std::list<Tagged> tagged_;  // quiet longest first
  std::list<Tagged> spare_;   // closed ones, for the room that they have
  std::list<Tagged>::iterator unjudged_ = tagged_.end();  // the first that was not judged early
  std::unordered_map<TagKey, std::list<Tagged>::iterator, TagHash> by_tag_;
  std::unordered_map<uint64_t, Session> sessions_;
  std::map<StreamId, std::unique_ptr<Chain>> chains_;
  std::map<StreamId, std::unique_ptr<WriteLinker>> writes_;
  std::array<uint64_t, 5> counts_{};
  std::vector<ShapeTotal> loop_totals_;
  EventTime now_{};
  EventTime endless_looked_at_{};
  uint64_t next_number_ = 1;
  uint64_t stale_ = 0;
  uint64_t whole_ = 0;  // transactions with BEGIN and end, of the late ones without a virtual xid
  uint64_t torn_ = 0;   // with one of the two
};

}  // namespace ectoscope
