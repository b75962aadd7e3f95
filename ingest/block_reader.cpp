#include "ingest/block_reader.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>

namespace ectoscope {
namespace {

/// Bytes that are never cleared: most of a block is overwritten before it is read.
class Block {
 public:
  explicit Block(size_t capacity) { resize(capacity); }

  void resize(size_t capacity) {
    std::unique_ptr<char[]> bytes(new char[capacity]);
    if (held_ != 0) std::memcpy(bytes.get(), bytes_.get(), held_);
    bytes_ = std::move(bytes);
    capacity_ = capacity;
  }

  [[nodiscard]] std::span<char> room() { return {bytes_.get() + held_, capacity_ - held_}; }
  [[nodiscard]] std::string_view bytes() const { return {bytes_.get(), held_}; }
  [[nodiscard]] size_t capacity() const { return capacity_; }
  [[nodiscard]] size_t held() const { return held_; }

  void add(size_t bytes) { held_ += bytes; }
  void remove(size_t bytes) {
    held_ -= bytes;
    if (held_ != 0 && bytes != 0) std::memmove(bytes_.get(), bytes_.get() + bytes, held_);
  }

 private:
  std::unique_ptr<char[]> bytes_;
  size_t capacity_ = 0;
  size_t held_ = 0;
};

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
