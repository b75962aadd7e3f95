// What keeps the number of time series bounded, whatever the log brings.
//
// Membership is sticky: a series that comes and goes with a top-N costs Prometheus as much as one
// for each, so what was shown stays, and what has no room is summed up as "other".
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include "core/snapshot.h"

namespace ectoscope {

/// For counters: the first label sets that come stay for the life of the process.
class LabelBudget {
 public:
  explicit LabelBudget(size_t most) : most_(most) {}

  /// Whether these labels have a series.  A refusal counts once a label set.
  bool admit(const std::vector<std::string>& labels);

  /// Label sets that were refused.
  [[nodiscard]] uint64_t refused() const { return refused_; }

 private:
  static constexpr size_t kMostRemembered = 100'000;

  size_t most_;
  std::unordered_set<std::string> admitted_;
  std::unordered_set<size_t> seen_refused_;  // hashes
  uint64_t refused_ = 0;
};

/// For ectoscope_finding_active: once shown, a finding keeps its series for an hour at least (0
/// when it is resolved in it); after that a costlier one may have its place.
class ActiveFindings {
 public:
  explicit ActiveFindings(size_t most) : most_(most) {}

  struct Shown {
    std::shared_ptr<const TrackedFinding> finding;  // never null
    bool active = true;
  };
  struct Choice {
    std::vector<Shown> shown;  // by id
    uint64_t others = 0;       // active ones without a series
  };

  /// Time is the snapshot's.
  Choice choose(const Snapshot& snapshot);

  /// Findings that were refused a series, each time that it began.
  [[nodiscard]] uint64_t refused() const { return refused_; }

 private:
  struct Member {
    EventTime since;
    std::shared_ptr<const TrackedFinding> last;
    bool seen = false;  // in this snapshot, and active
  };

  void forget_what_left(EventTime now);

  size_t most_;
  std::map<std::string, Member> members_;
  std::vector<size_t> others_;  // hashes of ids, sorted
  uint64_t refused_ = 0;
};

}  // namespace ectoscope
