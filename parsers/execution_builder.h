// From log records to executions.
//
// One query of an Ecto application is up to three records of one backend (parse, bind, execute),
// with a plan before or after the last; log_statement spreads one over two records as well.  The
// builder keeps what is open of each backend and gives out each execution once.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/execution.h"
#include "core/hash.h"
#include "core/incident.h"
#include "core/query.h"
#include "parsers/fidelity.h"
#include "parsers/incident_reader.h"
#include "parsers/log_record.h"
#include "parsers/message.h"
#include "parsers/parameters.h"
#include "parsers/plan_reader.h"
#include "parsers/session_table.h"
#include "parsers/sql_resolver.h"
#include "parsers/sql_shapes.h"
#include "parsers/stream_table.h"

namespace ectoscope {

/// A plan beside a batch of executions.
struct PlannedRun {
  size_t at = 0;        // of its execution in the batch, or of the one that it is nested in
  Execution execution;  // that one; of a nested statement its own, as far as its plan tells
  std::shared_ptr<const Plan> plan;  // never null
};

struct BuilderLimits {
  size_t sessions = 4096;           // backends remembered; a session open for longer goes first
  size_t bind_detail_bytes = 1024;  // a bind's longer parameters are not kept for its execute
};

/// Threads: one at a time.  `shapes`, `queries` and `streams` must outlive the builder.
/// Errors: never throws; what can't be used is counted.
class ExecutionBuilder final : public RecordHandler {
 public:
  /// Takes executions in batches, about in the order of their ends, and beside them the plans of
  /// some, in the same order.  The spans are valid for the call.
  using Sink = std::function<void(std::span<const Execution>, std::span<const PlannedRun>)>;
  /// Takes each incident after the executions that were logged before it.
  using IncidentSink = std::function<void(const Incident&)>;

  /// `key` hashes the parameters.  `server` names the source.
  ExecutionBuilder(SqlShapes& shapes, const QueryTable& queries, StreamTable& streams,
                   const HashKey& key, std::string server, Sink sink);
  ExecutionBuilder(SqlResolver resolver, StreamTable& streams, const HashKey& key,
                   std::string server, Sink sink, BuilderLimits limits = {});

  /// Nothing is read of incidents before this is called.
  void send_incidents_to(IncidentSink sink) { incident_sink_ = std::move(sink); }

  void on_record(const LogRecord& record) override;
  void on_late_part(const LogRecord& part) override;

  /// Added to LogRecord::offset for Execution::position; for a source of more files than one.
  void set_position_base(uint64_t base) { position_base_ = base; }

  /// Executions built so far, given out or held back.
  [[nodiscard]] uint64_t built() const { return given_out_ + batch_.size(); }

  /// Gives out what is complete; for a log that goes on.  A plan or a DETAIL that comes later for
  /// one of these is lost.
  void hand_out() { hand_out(built()); }
  /// The same, for those among the first `number` that were built.
  void hand_out(uint64_t number);

  /// What is not given out yet, complete or not.
  struct Held {
    std::vector<uint64_t> positions;  // Execution::position of each that is one already
    /// When the first began, of these and of what waits for its execute, unless for too long.
    EventTime oldest = EventTime::max();
    EventTime oldest_complete = EventTime::max();  // when the first ended, of those that did
  };
  void held(Held& into);

  /// The log has ended: decides what is open and gives out all.
  void flush();

  [[nodiscard]] const FidelityCounts& fidelity() const { return fidelity_; }

  /// What was not made an execution, by reason: "failed_statement", "bind_without_execute",
  /// "parse_without_execute", "duration_without_statement", "late_part" (a plan or a DETAIL whose
  /// execution was given out already), "no_shape", "own_record" (of our own connections); and plans
  /// that could not be read, by the name of their PlanProblem.
  [[nodiscard]] const DropCounts& counts() const;

 private:
  struct Drops {
    uint64_t failed = 0;
    uint64_t binds = 0;
    uint64_t parses = 0;
    uint64_t durations = 0;
    uint64_t late_parts = 0;
    uint64_t no_shape = 0;
    uint64_t own = 0;
    std::array<uint64_t, kPlanProblems> plans{};  // by PlanProblem
  };
  struct PlanRow {
    uint64_t number;  // of its run, or of the one that it is nested in
    bool nested;
    Execution execution;  // when it is nested
    std::shared_ptr<const Plan> plan;
  };

  static constexpr size_t kBatch = 512;
  static constexpr size_t kHeldBack = 512;  // the newest, for plans and details that follow them
  static constexpr size_t kMaxIncidents = 2048;  // held back with them

  struct HeldIncident {
    uint64_t after = 0;  // so many executions were built before it
    Incident incident;
  };

  Session& session_of(const LogRecord& record);
  [[nodiscard]] uint64_t key_of(const LogRecord& record) const;
  static uint64_t transaction_of(uint64_t session, std::string_view virtual_xid);

  void on_parse(Session& session, const LogRecord& record, const Message& message);
  void on_bind(Session& session, const LogRecord& record, const Message& message);
  void on_run(Session& session, const LogRecord& record, const Message& message);
  void on_untimed(Session& session, const LogRecord& record, const Message& message);
  void on_bare_duration(Session& session, const LogRecord& record, const Message& message);
  void on_plan(Session& session, const LogRecord& record, const Message& message);
  void on_error(const LogRecord& record);
  void on_other(const LogRecord& record);
  void hold_incident(const LogRecord& record, Incident incident);
  [[nodiscard]] uint64_t session_hash(const LogRecord& record) const;

  bool resolve(Session& session, const LogRecord& record, std::string_view sql,
               PendingExecution& pending);
  void add_parameters(std::string_view detail, PendingExecution& pending);
  PendingPhase phases_of(Session& session, const LogRecord& record, const Message& message);
  bool make_run(Session& session, const LogRecord& record, const Message& message,
                PendingExecution& pending);
  void take_parse(Session& session, std::string_view label, PendingPhase& into);
  std::shared_ptr<const Plan> read(const Message& message);
  void claim_plans(Session& session, PendingExecution& pending);
  void claim_loose_plans(Session& session, const PendingExecution& pending, uint64_t number);
  void add_plan(uint64_t number, std::shared_ptr<const Plan> plan, const Execution* nested);
  void give_out_plans(size_t count);
  void decide_statement(Session& session);
  void decide_plans(Session& session);
  void decide(Session& session);
  void count_run(const PendingExecution& pending);
  void build(Session& session, const PendingExecution& pending);
  void count_duration(Micros duration);
  Execution* recent(const LastExecution& last);
  void give_out(size_t count);
  void give_out_executions(size_t count);

  SqlResolver resolver_;
  StreamTable& streams_;
  ValueHasher hasher_;
  std::string server_;
  Sink sink_;
  IncidentSink incident_sink_;
  IncidentReader incident_reader_;
  std::deque<HeldIncident> incidents_;  // in the order of the log
  BuilderLimits limits_;
  SessionTable sessions_;
  std::vector<Execution> batch_;
  uint64_t given_out_ = 0;           // executions before batch_[0]
  std::vector<PlanRow> plans_;       // of those in batch_
  std::vector<PlannedRun> planned_;  // scratch
  uint64_t position_base_ = 0;
  std::string scratch_;
  FidelityCounts fidelity_;
  Drops drops_;
  mutable DropCounts counts_;
};

}  // namespace ectoscope
