// How far one log is counted: what makes every statement count exactly once.
//
// The log itself is the buffer.  A checkpoint says up to where it was read, which executions before
// that were not counted yet, which were counted but stand in no closed trace yet, and from where on
// the file has to be read again to get these back.  After a restart an execution in front of the
// old place is counted, only grouped, or dropped, as these lists say (docs/adr/0007).  An incident
// counts when it is over.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <vector>

#include "core/time.h"
#include "daemon/source_batch.h"
#include "findings/checkpoint.h"
#include "ingest/log_follower.h"
#include "traces/grouper.h"

namespace ectoscope {

/// Where a log's files are to be gone on in.
std::vector<ResumePoint> resume_points(const SourceCheckpoint& before);

/// Threads: one at a time.
class SourceProgress {
 public:
  /// What earlier processes did with an execution or an incident.
  struct Fate {
    bool counted = false;
    Grouper::Awaits awaits = {};  // of what was counted
  };

  /// What the analysis did not settle yet; positions in no order.
  struct Unsettled {
    std::vector<uint64_t> open;    // of executions in no closed trace
    std::vector<uint64_t> writes;  // of executions whose request may write more
    std::vector<uint64_t> incidents;
    EventTime needed = EventTime::max();  // nothing of it began before
  };

  /// Goes on from `before`.
  explicit SourceProgress(const SourceCheckpoint& before);

  /// Each position once.
  Fate fate(uint64_t position) { return replayed_.empty() ? Fate{} : fate_replayed(position); }

  /// The batch's executions were all asked for and dealt with.
  void take(const SourceBatch& batch);

  [[nodiscard]] SourceCheckpoint checkpoint(Unsettled unsettled) const;

  /// Executions and incidents that a checkpoint had listed and the log no longer holds.
  [[nodiscard]] uint64_t lost() const { return lost_; }
  [[nodiscard]] EventTime oldest_held() const { return oldest_held_; }

 private:
  struct Replay {  // of one file
    uint64_t until = 0;
    uint64_t resume_at = 0;
    std::vector<uint64_t> uncounted;  // these are not met yet
    std::vector<uint64_t> open;
    std::vector<uint64_t> writes;
    [[nodiscard]] uint64_t left() const;
  };

  void list(const std::vector<uint64_t>& positions, std::vector<uint64_t> Replay::*list);
  Fate fate_replayed(uint64_t position);
  void end_replays(const SourceBatch& batch);
  void forget_marks();
  [[nodiscard]] uint64_t resume_at(const FollowedFile& file, EventTime needed) const;

  std::string pattern_;
  std::map<uint16_t, Replay> replayed_;
  std::vector<FollowedFile> files_;
  std::vector<uint64_t> held_;
  EventTime oldest_held_ = EventTime::max();
  std::deque<TimeMark> marks_;
  uint64_t lost_ = 0;
};

}  // namespace ectoscope
