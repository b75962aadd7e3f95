// The file system, as the rest of ectoscope sees it: one of the four seams.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "core/result.h"

namespace ectoscope {

/// An open file (or standard input), read front to back.
class InputFile {
 public:
  virtual ~InputFile() = default;

  /// Up to buffer.size() bytes; 0 at the end.
  virtual Result<size_t> read(std::span<char> buffer) = 0;

  /// Size in bytes where the file has one; 0 for pipes.
  [[nodiscard]] virtual uint64_t size() const = 0;
};

class Files {
 public:
  virtual ~Files() = default;

  /// Opens for reading; "-" is standard input.  A directory, a missing or an unreadable file is an
  /// Error that names the path and says what to do.
  virtual Result<std::unique_ptr<InputFile>> open(const std::string& path) = 0;
};

}  // namespace ectoscope
