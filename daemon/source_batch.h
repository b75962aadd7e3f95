// What a source's thread hands to the analysis.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/execution.h"
#include "core/incident.h"
#include "core/report.h"
#include "core/routes.h"
#include "ingest/log_follower.h"
#include "parsers/execution_builder.h"
#include "parsers/log_record.h"

namespace ectoscope {

/// Execution::position within one server: the source, the file's number and the record's place in
/// it.  Unique, and nothing else: files are not in the order of their numbers.
struct LogPosition {
  static constexpr unsigned kOffsetBits = 40;  // 1 TiB a file
  static constexpr unsigned kFileBits = 16;

  static constexpr uint64_t of(uint16_t file, uint64_t offset) {
    return uint64_t{file} << kOffsetBits | (offset & ((uint64_t{1} << kOffsetBits) - 1));
  }
  static constexpr uint64_t with_source(uint64_t position, uint8_t source) {
    return position | uint64_t{source} << (kOffsetBits + kFileBits);
  }
  static constexpr uint8_t source(uint64_t position) {
    return static_cast<uint8_t>(position >> (kOffsetBits + kFileBits));
  }
  static constexpr uint16_t file(uint64_t position) {
    return static_cast<uint16_t>(position >> kOffsetBits);
  }
  static constexpr uint64_t offset(uint64_t position) {
    return position & ((uint64_t{1} << kOffsetBits) - 1);
  }
  static constexpr uint64_t without_source(uint64_t position) {
    return position & ((uint64_t{1} << (kOffsetBits + kFileBits)) - 1);
  }
};

/// Where in a log a time is: all records before it are of `before` or earlier.
struct TimeMark {
  uint16_t file = 0;
  uint64_t offset = 0;
  EventTime before;
};

/// An incident that was logged before executions[before].
struct BatchIncident {
  size_t before = 0;
  Incident incident;
};

/// All that one source read since the last one.  Its counts go on from the source's start.
struct SourceBatch {
  uint8_t source = 0;
  std::vector<Execution> executions;
  std::vector<PlannedRun> plans;  // of these executions
  std::vector<BatchIncident> incidents;
  std::vector<Stream> streams;      // new ones; their numbers go on from the last batch's
  std::vector<Whence> routes;       // likewise
  std::vector<FollowedFile> files;  // as far as this batch goes
  std::vector<TimeMark> marks;      // new ones
  std::vector<uint64_t> held;       // positions of executions that are still to come
  EventTime oldest_held = EventTime::max();
  EventTime oldest_complete = EventTime::max();  // of them, those that come at the next look
  FollowStatus status;
  uint64_t bytes = 0;
  uint64_t records = 0;
  DropCounts drops;
  InputFidelity fidelity;
  EventTime newest = EventTime::min();  // stamp of all records so far
  bool idle = false;                    // there was nothing more to read
};

}  // namespace ectoscope
