#include "outputs/channel.h"

#include <cerrno>
#include <sys/socket.h>
#include <unistd.h>

namespace ectoscope {
namespace {

class PlainChannel : public Channel {
 public:
  explicit PlainChannel(UniqueFd socket) : socket_(std::move(socket)) {}

  [[nodiscard]] int fd() const override { return socket_.get(); }
  State greet() override { return State::kDone; }

  Moved read(char* buffer, size_t size) override {
    const ssize_t got = recv(socket_.get(), buffer, size, 0);
    if (got > 0) return {State::kDone, static_cast<size_t>(got)};
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return {State::kWantRead, 0};
    return {State::kClosed, 0};
  }

  Moved write(std::string_view bytes) override {
    const ssize_t put = send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (put >= 0) return {State::kDone, static_cast<size_t>(put)};
    if (errno == EAGAIN || errno == EINTR) return {State::kWantWrite, 0};
    return {State::kClosed, 0};
  }

  void finish() override { shutdown(socket_.get(), SHUT_WR); }

 private:
  UniqueFd socket_;
};

}  // namespace

UniqueFd& UniqueFd::operator=(UniqueFd&& other) noexcept {
  if (this != &other) {
    if (fd_ >= 0) close(fd_);
    fd_ = other.release();
  }
  return *this;
}

UniqueFd::~UniqueFd() {
  if (fd_ >= 0) close(fd_);
}

std::unique_ptr<Channel> plain_channel(UniqueFd socket) {
  return std::make_unique<PlainChannel>(std::move(socket));
}

}  // namespace ectoscope
