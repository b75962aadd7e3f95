// A file as it was before it was compressed.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/files.h"

namespace ectoscope {

/// An input that may be compressed with gzip or zstd.
///
/// Threads: one at a time.
class Archive : public InputFile {
 public:
  /// Bytes of the file itself that were read so far; size() is the file's own size too.
  [[nodiscard]] virtual uint64_t consumed() const = 0;
};

/// Opens a file that is plain, gzip (of one member or more) or zstd (of one frame or more).  Its
/// first bytes tell which; its name does not matter.
///
/// read() of a truncated or damaged archive first yields all that could be decoded, then an Error
/// that names the file and the byte.  A zstd frame that needs a window over 64 MiB is an Error.
Result<std::unique_ptr<Archive>> open_archive(Files& files, const std::string& path);

}  // namespace ectoscope
