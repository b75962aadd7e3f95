#include "ingest/block_reader.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "ingest/block.h"

namespace ectoscope {
namespace {

/// Makes room for more, or throws the unfinished record away when it has grown too long.
void make_room(Block& block, const BlockLimits& limits, BlockConsumer& consumer) {
  if (!block.room().empty()) return;
  if (block.capacity() < limits.max_record_bytes) {
    block.resize(std::min(block.capacity() * 2, limits.max_record_bytes));
    return;
  }
  consumer.skipped(block.held());
  block.remove(block.held());
}

/// Fills the block; it stays unfilled at the file's end and on an Error.
std::optional<Error> fill(Block& block, Archive& file) {
  while (!block.room().empty()) {
    const Result<size_t> got = file.read(block.room());
    if (!got.ok()) return got.error();
    if (got.value() == 0) break;
    block.add(got.value());
  }
  return std::nullopt;
}

}  // namespace

Result<uint64_t> read_blocks(Archive& file, BlockConsumer& consumer, const BlockLimits& limits,
                             const std::function<void(const ReadProgress&)>& on_progress) {
  Block block(std::min(limits.block_bytes, limits.max_record_bytes));
  uint64_t total = 0;
  for (;;) {
    make_room(block, limits, consumer);
    const size_t held = block.held();
    const std::optional<Error> error = fill(block, file);
    total += block.held() - held;
    const bool last = error || !block.room().empty();
    const size_t used = consumer.consume(block.bytes(), last);
    block.remove(std::min(used, block.held()));
    if (on_progress) on_progress({total, file.consumed(), file.size()});
    if (error) return *error;
    if (last) return total;
    if (block.capacity() > limits.block_bytes && block.held() <= limits.block_bytes / 2)
      block.resize(limits.block_bytes);
  }
}

}  // namespace ectoscope
