// One client's byte stream: a non-blocking socket, bare or under TLS.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace ectoscope {

/// Owns a file descriptor.
class UniqueFd {
 public:
  explicit UniqueFd(int fd = -1) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(other.release()) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept;
  ~UniqueFd();

  [[nodiscard]] int get() const { return fd_; }
  int release() {
    const int fd = fd_;
    fd_ = -1;
    return fd;
  }

 private:
  int fd_;
};

class Channel {
 public:
  enum class State : uint8_t { kDone, kWantRead, kWantWrite, kClosed, kPlainOnTls };

  struct Moved {
    State state = State::kDone;
    size_t bytes = 0;
  };

  virtual ~Channel() = default;

  [[nodiscard]] virtual int fd() const = 0;
  /// What must be said before the first byte; kDone when it is.
  virtual State greet() = 0;
  /// At least one byte, or why there is none.
  virtual Moved read(char* buffer, size_t size) = 0;
  virtual Moved write(std::string_view bytes) = 0;
  /// No more will be written.
  virtual void finish() = 0;
};

std::unique_ptr<Channel> plain_channel(UniqueFd socket);

}  // namespace ectoscope
