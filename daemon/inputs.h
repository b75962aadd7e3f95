// The files that `analyze` reads, as one log.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "core/files.h"
#include "core/result.h"
#include "daemon/pipeline.h"
#include "daemon/progress.h"
#include "parsers/log_record.h"

namespace ectoscope {

/// Threads: one at a time.  `files` must outlive it.
class LogInputs {
 public:
  LogInputs(Files& files, InputConfig settings) : files_(files), settings_(std::move(settings)) {}

  /// Makes sure that all can be opened, and orders several by their first stamps; one without a
  /// stamp stays behind the one it was given after.  The error names the first that can't be read.
  std::optional<Error> open(const std::vector<std::string>& paths);

  /// Sum of the sizes on disk; 0 when one has none (a pipe).
  [[nodiscard]] uint64_t total_bytes() const { return total_bytes_; }

  /// Reads all of them into `pipeline`.  An error when one fails half-way or none held a record.
  std::optional<Error> read(Pipeline& pipeline, Progress& progress);

  /// What a person should know of files that were read, in the order of reading.
  [[nodiscard]] const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  struct Input {
    std::string path;
    std::optional<EventTime> first_stamp;
  };

  [[nodiscard]] std::unique_ptr<LogParser> make_parser() const;
  Result<std::optional<EventTime>> first_stamp(const std::string& path);
  std::optional<Error> read_one(const Input& input, Pipeline& pipeline, Progress& progress);

  Files& files_;
  InputConfig settings_;
  std::vector<Input> inputs_;
  std::vector<std::string> warnings_;
  uint64_t total_bytes_ = 0;
  uint64_t records_ = 0;
};

}  // namespace ectoscope
