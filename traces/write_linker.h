// The second step of the chain rung: single writes of different tables that one request made.
//
// Nothing names the request, but two things tell: a value that is handed on (ValueModel), and
// shapes that follow each other again and again within milliseconds, far more often than they do at
// other distances.  Each write has at most one before and one after it, and no shape stands twice
// in one trace, but for rows of one parent that are inserted one by one.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include "core/execution.h"
#include "core/query.h"
#include "traces/value_model.h"

namespace ectoscope {

/// The loose writes of one stream.  Executions come in the order of their ends.
///
/// Threads: one at a time.  Bounded in executions held and shapes learned.  `queries` must outlive
/// it.
class WriteLinker {
 public:
  /// Its executions are the read that handed its key on, where there is one, and the writes.
  struct Found {
    std::span<const Execution> executions;
    double confidence = 0;
  };
  using Sink = std::function<void(const Found&)>;

  explicit WriteLinker(const QueryTable& queries) : queries_(queries) {}

  /// Of a statement that no other rung took.
  void add(const Execution& execution, const Sink& sink);

  /// A statement that is in no trace of writes: it may still tell where one began.
  void note(const Execution& execution);

  /// Event time has come to `now` without another execution.
  void advance(EventTime now, const Sink& sink);

  /// The input ends.
  void finish(const Sink& sink);

  /// Visits the writes that wait for their window.
  void visit_open(const std::function<void(const Execution&)>& visit) const;

 private:
  /// A read, as far as a write may follow from it.
  struct Read {
    EventTime started_at;
    EventTime ended_at;
    Micros duration{0};
    uint64_t session = 0;
    RowValues values;
    QueryId query = kNoQuery;
    int32_t pid = 0;
  };
  struct Link {
    bool by_value = false;
    Micros gap{0};
    uint32_t from = 0;  // indexes into writes_
    uint32_t to = 0;
    double confidence = 0;
  };
  using Pair = std::pair<QueryId, QueryId>;
  /// How often one shape follows another at once, and at distances where only chance has it.
  struct Follows {
    double at_once = 0;
    double by_chance = 0;
  };

  static constexpr size_t kMaxWrites = 2048;  // then a window ends early
  static constexpr size_t kMaxReads = 8192;
  static constexpr size_t kMaxPairs = 4096;
  static constexpr Micros kWindow{10'000'000};
  static constexpr Micros kSettle{1'000'000};  // of a window's writes some go on in the next

  [[nodiscard]] bool single_write(const Execution& execution) const;
  void close_window(EventTime horizon, const Sink& sink);
  void learn();
  void sweep(Micros shift, double weight, double Follows::*count);
  void note_values();
  void link_by_value();
  void link_by_value(std::span<const ValueModel::Use> uses, const ValueModel::Use& to);
  [[nodiscard]] bool siblings(const ValueModel::Use& from, const ValueModel::Use& to) const;
  void link_by_habit();
  [[nodiscard]] double habit(const Execution& from, const Execution& to) const;
  void join();
  void show(const Execution& write);
  void emit(EventTime horizon, const Sink& sink);
  void find_start(const std::vector<uint32_t>& group);
  [[nodiscard]] const Read* first_read(uint32_t index) const;
  void forget(EventTime horizon);

  const QueryTable& queries_;
  std::vector<Execution> writes_;
  std::vector<Read> reads_;
  std::map<Pair, Follows> follows_;
  std::map<QueryId, double> counts_;  // of each shape's writes, as follows_ counts them
  ValueModel values_;
  std::vector<Link> links_;
  std::vector<uint32_t> group_of_;
  std::vector<std::vector<uint32_t>> groups_;
  std::vector<double> sureness_;
  std::vector<Execution> executions_;  // lent to the sink
  EventTime horizon_{};
  bool started_ = false;
};

}  // namespace ectoscope
