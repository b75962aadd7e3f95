// Finds the loops of one shape in a stream of statements that say nothing of their request.
//
// Each execution either begins a loop (or stands alone) or follows another execution of its shape
// in the same request.  Which one, is weighed for all candidates together: how long the gap was
// (GapModel), how its key follows the other's (KeyModel), whether one pool serves both backends
// (PoolModel), and how many executions of the shape come by chance.  The models learn from what
// they explain, as in expectation maximization; the assignment is the greedy one over all pairs of
// a window, surest first.  Strands whose keys interleave as one loop's would are joined afterwards.
// docs/chain.md tells what was tried, and what each part gains.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include "core/execution.h"
#include "traces/key_model.h"
#include "traces/stream_models.h"
#include "traces/succession_model.h"

namespace ectoscope {

struct LoopLimits {
  Micros window{2'000'000};      // executions that are assigned together
  Micros max_gap{1'000'000};     // between two statements of one loop
  Micros max_overlap{20'000};    // of two statements of one loop (tasks side by side)
  Micros max_age{300'000'000};   // a strand older than that is closed, and a new one begins
  size_t max_executions = 1000;  // kept of one strand; the rest is counted
};

/// A finished strand.  Valid until the next call of the linker that made it.
struct Loop {
  std::vector<Execution> executions;  // by end, as the log has them
  uint64_t count = 0;                 // of all, kept or not
  Micros duration{0};                 // of all
  double confidence = 0;              // mean probability that a statement belongs to this strand
};

/// Threads: one at a time.  Memory: the executions of a window, of the last max_gap and of open
/// strands.
class LoopLinker {
 public:
  /// What the sweeps over one window fill, and the next window begins anew.  The linkers of a
  /// stream run one after the other and share one, so that it stays in the core's cache.
  struct Workspace;

  /// `workspace` must outlive it, as the others must.
  LoopLinker(const Query& query, const LoopLimits& limits, Workspace& workspace);

  void add(const Execution& execution);

  /// Assigns all executions that started before `horizon`, and hands strands of three and more that
  /// nothing can join any longer to `closed(const Loop&)`.  `stream` is shared by the stream's
  /// shapes.
  template <typename Closed>
  void process(EventTime horizon, StreamModels& stream, Closed&& closed);

  /// Visits the executions that wait for their window and those of open strands.
  template <typename Visit>
  void visit_open(Visit&& visit) const {
    for (const uint32_t id : pending_)
      visit(runs_[id]);
    for (const uint32_t strand : open_) {
      for (uint32_t id = strand_pool_[strand].head; id != kNone; id = nodes_[id].in_strand)
        visit(runs_[id]);
    }
  }

  /// Nothing waits, nothing is open.
  [[nodiscard]] bool idle() const { return pending_.empty() && open_.empty() && order_.empty(); }
  [[nodiscard]] size_t waiting() const { return pending_.size(); }
  /// Executions a microsecond, over some windows.
  [[nodiscard]] double usual_rate() const { return usual_rate_; }
  /// Share of links whose keys tell, as KeyModel has it.
  [[nodiscard]] double structured() const { return keys_.structured(); }
  /// Of its executions the first one's start.
  [[nodiscard]] EventTime first_seen() const { return first_seen_; }
  [[nodiscard]] uint64_t strands() const { return strands_closed_; }

 private:
  static constexpr uint32_t kNone = UINT32_MAX;
  static constexpr size_t kNearest = 10;  // candidates by time; those by key come on top
  static constexpr size_t kPerKey = 1;    // candidates for one difference of keys
  static constexpr double kLeastShare = 1e-3;

  // What sweeps look at; the execution itself waits in runs_.
  struct Node {
    EventTime started_at;
    EventTime ended_at;
    Micros duration{0};
    KeyValues keys;
    uint32_t before = kNone;     // the node that it follows
    uint32_t after = kNone;      // the node that follows it
    uint32_t linked_to = kNone;  // what it followed in the last match
    uint32_t strand = kNone;     // kNone until its window is assigned
    uint32_t in_strand = kNone;  // next in the strand's list
    uint32_t chain = kNone;      // during assignment: index into its chains
    uint32_t backend = 0;        // PoolModel's number for its pid
    uint32_t candidate = kNone;  // of the workspace, of the link that match() made
    float own = 0;               // what the link to linked_to taught keys_
    float sure = 0;              // the probability of the link to `before`
    double rate = 1;          // what chance brings when it started, on the clock that is believed
    double rate_by_time = 1;  // a microsecond
    double start_turn = 0;
    double end_turn = 0;
    bool opens = false;   // the run of its shape that it stands in begins after a silence
    bool fresh = true;    // its window is being assigned
    bool listed = false;  // in its strand's list, which frees it then
  };

  /// One that a node may have followed, with all of its weight that stays while a window is
  /// assigned.
  struct Candidate {
    uint32_t before = kNone;
    float keys = 0;
    float others = 0;  // pool's evidence over chance's rate
    float density = 0;
    float survival = 0;
    float gap_us = 0;    // or turns, see StreamModels::kTurn; never under kLeastGap
    bool tells = false;  // by its keys
  };

  struct Span {  // of a strand, or of one in the making
    uint64_t count = 0;
    EventTime start;
    EventTime end;
    Micros busy{0};
    double first_turn = 0;
    double last_turn = 0;
    double busy_turns = 0;
    uint64_t told = 0;  // links whose keys tell
    void add(const Node& node);
    void add(const Span& other);
    /// All its gaps together, in microseconds or in turns, each as GapModel reads it.
    [[nodiscard]] double idle(bool by_turns) const;
    /// Share of links whose keys tell nothing, begun from the shape's.
    [[nodiscard]] double untold(double shape) const;
  };

  struct Strand {
    Span span;
    uint32_t head = kNone;
    uint32_t tail = kNone;
    uint32_t kept = 0;
    uint32_t chain = kNone;
    uint64_t chain_round = 0;
    double sureness = 0;
    double evidence = 0;  // of its links against chance, logarithm of the odds
    uint32_t weighed = 0;
  };

  struct Votes {
    int for_it = 0;
    int all = 0;
    bool near = false;  // the later begins where the earlier might have gone on
  };
  using StrandVotes = std::map<std::pair<uint32_t, uint32_t>, Votes>;

  struct Pair {
    double weight;
    uint32_t before;
    uint32_t after;
    uint32_t candidate;
  };

  struct Nearby {  // executions that ended within `span`
    ActivityModel::Span span{EventTime::max(), EventTime::max()};
    double own = 0;     // of its shape
    double others = 0;  // of all others in the stream
  };

  // What weight() needs of a chain: the same for all that might follow it.
  struct Pace {
    double seen = 0;  // its own gaps, and those that the prior counts for; 0: it has shown none
    double time = 0;  // that they took
    double keys = 1;  // what keys that tell nothing are worth to it
  };

  // What weight() needs of the shape: the same for a whole sweep over the window.
  struct Shares {
    double start = 0;
    double lone_goes_on = 0;
    double loop_goes_on = 0;
    double lone_floor = 0;  // of the root in weight()
    double loop_floor = 0;
    double negligible = 0;  // evidence of a link to a loop that is worth no further look
  };

  void assign(EventTime horizon, StreamModels& stream);
  bool next_closed(EventTime horizon, size_t& looked_at);

  uint32_t take_window(EventTime horizon);
  void update_rate(size_t executions, EventTime horizon);
  void prepare_nodes();
  [[nodiscard]] Nearby nearby(const ActivityModel::Span& span) const;
  [[nodiscard]] double chance(const Nearby& near, bool opens) const;
  /// What chance brings of it by the turn.
  [[nodiscard]] double share() const { return std::max(share_, kLeastShare); }
  void learn_chance();
  void order_ticks();
  void order_tick(std::span<uint32_t> tick);
  void index_keys();
  template <typename Visit>
  void for_reachable(size_t position, Visit&& visit) const;
  void gather_candidates();
  void weigh_candidate(Candidate& candidate, uint32_t after) const;
  [[nodiscard]] std::span<const Candidate> candidates(size_t position) const;
  [[nodiscard]] LinkGap gap_between(const Node& before, const Node& after) const;
  /// How much likelier their keys make it that one follows the other: by difference and by pair.
  [[nodiscard]] double key_ratio(uint32_t before, uint32_t after) const;
  [[nodiscard]] double difference_ratio(uint32_t before, uint32_t after) const;
  [[nodiscard]] double came_before(const KeyValues& before, const KeyValues& after) const {
    return by_pairs_ ? successions_.evidence(before.hash, after.hash) : 0;
  }
  /// One of the two tells.
  [[nodiscard]] bool keys_tell(uint32_t before, uint32_t after) const;
  /// May say 0 of what is less than `least`.
  [[nodiscard]] double weight(const Candidate& candidate, const Node& after,
                              double least = 0) const;
  [[nodiscard]] double weight_in_loop(const Candidate& candidate, const Node& after,
                                      const Pace& pace, double least) const;
  [[nodiscard]] double start_weight() const;
  void pace_chains();
  void begin_sweep();
  void learn_softly();
  void gather_pairs();
  void match();
  void find_chains();
  void suppose_loops();
  void drop_unlikely();
  void learn_shares(bool cold);
  void find_loops(bool cold);
  void weigh_links(bool teach);
  void learn_gaps();
  void learn_key(Node& node);
  void halve_lessons();
  void learn_successions();
  void cut_between_loops(bool cold);
  void build_strands();
  StrandVotes votes_of_neighbours();
  [[nodiscard]] bool side_by_side(uint32_t one, uint32_t other) const;
  [[nodiscard]] bool same_rows(uint32_t one, uint32_t other) const;
  void join_interleaved();
  void join(uint32_t into, uint32_t from);
  void judge();
  [[nodiscard]] static double confidence(const Strand& strand);
  uint32_t take_node(const Execution& execution);
  void free_strand(uint32_t strand);
  void forget_old(EventTime horizon);

  const Query& query_;
  const LoopLimits& limits_;
  Workspace& work_;
  KeyModel keys_;
  SuccessionModel successions_;
  bool by_pairs_ = false;           // where no difference of keys tells, pairs are looked at
  StreamModels* stream_ = nullptr;  // during process() only

  std::vector<Node> nodes_;
  std::vector<Execution> runs_;  // of nodes_
  std::vector<uint32_t> free_nodes_;
  std::vector<Strand> strand_pool_;
  std::vector<uint32_t> free_strands_;
  std::vector<uint32_t> open_;     // strands
  std::vector<uint32_t> pending_;  // nodes that wait for their window
  std::vector<uint32_t> order_;    // nodes of the last max_gap and the window, by end
  Shares shares_;
  std::vector<KeyValues> distant_;  // a sample of keys seen before
  std::vector<EventTime> distant_at_;

  double rate_ = 0;        // executions per microsecond, smoothed over windows
  double usual_rate_ = 0;  // the same over more windows, without the present one
  double burst_ = 1;       // the present rate over the usual one
  double own_ = 0;         // executions of the last windows, older ones count less
  double others_ = 0;      // of the stream's other shapes in the same windows
  double share_ = 0;       // of the stream's statements, smoothed over windows
  double turn_ = 0;        // at the last horizon
  double linked_ = 0;      // shares, as learned from links
  double alone_ = 1;
  double weighed_ = 2;
  double in_loops_ = 1;  // executions in strands of four and more
  double executions_ = 1;
  double loop_starts_ = 0.15;
  bool classed_ = false;    // the chains are valid: lone statements and loops are told apart
  bool supposing_ = false;  // each execution is weighed as if it stood in a loop
  EventTime first_seen_{};
  bool any_seen_ = false;
  bool assigned_ = false;     // a window of it, at least one
  uint32_t backends_of_ = 0;  // generation of the pool that nodes_ have their numbers of
  uint64_t round_ = 0;
  uint64_t random_ = 0x9E3779B97F4A7C15ULL;  // the same for each run: replays are equal
  uint64_t strands_closed_ = 0;
};

struct LoopLinker::Workspace {
  std::vector<Candidate> candidates;                 // of the window's nodes, in order_
  std::vector<size_t> first_candidate;               // by position in order_, and one more
  std::vector<std::pair<int64_t, uint32_t>> by_key;  // (key, position in order_)
  std::vector<double> told;                          // of order_tick()
  std::vector<std::pair<uint32_t, double>> weighed;  // what one may have followed
  std::vector<Pair> pairs;
  std::vector<Span> chains;
  std::vector<Pace> paces;   // of chains
  std::vector<double> odds;  // of chains, logarithms
  Loop loop;
};

template <typename Closed>
void LoopLinker::process(EventTime horizon, StreamModels& stream, Closed&& closed) {
  assign(horizon, stream);
  for (size_t looked_at = 0; next_closed(horizon, looked_at);)
    closed(work_.loop);
}

inline std::span<const LoopLinker::Candidate> LoopLinker::candidates(size_t position) const {
  const size_t first = work_.first_candidate[position];
  return std::span(work_.candidates).subspan(first, work_.first_candidate[position + 1] - first);
}

}  // namespace ectoscope
