// Bytes that were read and are not used yet.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

namespace ectoscope {

/// Bytes that are never cleared: most of a block is overwritten before it is read.
class Block {
 public:
  explicit Block(size_t capacity) { resize(capacity); }

  /// To no less than held().
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

}  // namespace ectoscope
