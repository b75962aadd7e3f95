// Where reading and counting stand: what is committed together with the findings.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/log_files.h"

namespace ectoscope {

struct FileCheckpoint {
  uint16_t number = 0;
  FileIdentity identity;
  uint32_t head_length = 0;
  uint64_t head_hash = 0;
  uint64_t read_to = 0;    // all before it was read and, but for what is listed, counted
  uint64_t resume_at = 0;  // nothing before it is needed any more
  bool cut = false;
  bool copy = false;
};

/// One log with its rotations.  Positions are those of executions (daemon/source_batch.h).
struct SourceCheckpoint {
  std::string pattern;
  std::vector<FileCheckpoint> files;  // in the order of reading
  std::vector<uint64_t> uncounted;    // before read_to, ascending
  std::vector<uint64_t> open;         // counted, but in no closed trace; ascending
  std::vector<uint64_t> writes;       // counted, but their request may write more; ascending
};

}  // namespace ectoscope
