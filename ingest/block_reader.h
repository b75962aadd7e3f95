// Reads a file in large blocks and hands them on, with what was not used the last time in front.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>

#include "core/result.h"
#include "ingest/archive.h"

namespace ectoscope {

/// Takes blocks; a LogParser with its handler, seen from here.
class BlockConsumer {
 public:
  virtual ~BlockConsumer() = default;

  /// Returns how many bytes of the block are done with; the rest comes again, with more behind it.
  /// With `last` the input ends here and the rest is thrown away.
  virtual size_t consume(std::string_view block, bool last) = 0;

  /// `bytes` were thrown away: a record outgrew max_record_bytes.
  virtual void skipped(uint64_t bytes) = 0;
};

struct BlockLimits {
  size_t block_bytes = size_t{256} << 10U;  // a core's own cache holds it
  size_t max_record_bytes = size_t{16} << 20U;
};

/// How far reading is.
struct ReadProgress {
  uint64_t bytes = 0;     // after decompression
  uint64_t consumed = 0;  // of the file itself
  uint64_t size = 0;      // of the file itself; 0: not known
};

/// Reads the file to its end and returns how many bytes it held, after decompression.  On an Error
/// of the file the consumer still gets all that was read before it, with `last`.
///
/// Memory: block_bytes, growing up to max_record_bytes for long records, and back.
/// `on_progress` (may be empty) is called after each block.
Result<uint64_t> read_blocks(Archive& file, BlockConsumer& consumer, const BlockLimits& limits,
                             const std::function<void(const ReadProgress&)>& on_progress);

}  // namespace ectoscope
