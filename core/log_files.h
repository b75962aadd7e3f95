// Log files that grow, are renamed, cut and replaced: the file system as a follower sees it.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/result.h"

namespace ectoscope {

/// What tells one file from another, whatever it is called.
struct FileIdentity {
  uint64_t device = 0;
  uint64_t inode = 0;
  bool operator==(const FileIdentity&) const = default;
};

struct FileFacts {
  FileIdentity identity;
  uint64_t size = 0;
  int64_t modified_us = 0;  // by the file system's clock
  bool regular = true;      // no directory, no FIFO, no device
};

/// An open file.  It stays the same file when its name is given to another.
class LogFile {
 public:
  virtual ~LogFile() = default;

  /// As it is now.
  virtual Result<FileFacts> facts() = 0;

  /// Up to buffer.size() bytes from `offset` on; 0 at or behind the end.
  virtual Result<size_t> read_at(uint64_t offset, std::span<char> buffer) = 0;
};

/// Threads: any.
class LogFiles {
 public:
  virtual ~LogFiles() = default;

  /// The paths that match a pattern of the shell (*, ?, [...]), in the order of their names.  A
  /// directory that can't be read is an Error that says what to do; one that is missing has none.
  virtual Result<std::vector<std::string>> list(const std::string& pattern) = 0;

  virtual Result<FileFacts> facts(const std::string& path) = 0;

  /// Never waits, as opening a FIFO may.
  virtual Result<std::unique_ptr<LogFile>> open(const std::string& path) = 0;
};

}  // namespace ectoscope
