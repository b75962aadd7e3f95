#include "platform/service_manager.h"

#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <utility>

namespace ectoscope {
namespace {

int64_t number_in(const char* variable) {
  const char* const text = std::getenv(variable);  // NOLINT(concurrency-mt-unsafe): nobody sets it
  int64_t number = 0;
  if (text != nullptr) std::from_chars(text, text + std::strlen(text), number);
  return number;
}

}  // namespace

ServiceManager ServiceManager::from_environment() {
  const char* const socket = std::getenv("NOTIFY_SOCKET");  // NOLINT(concurrency-mt-unsafe)
  const int64_t for_whom = number_in("WATCHDOG_PID");
  const bool for_us = for_whom == 0 || for_whom == ::getpid();
  return {socket == nullptr ? "" : socket, Micros(for_us ? number_in("WATCHDOG_USEC") : 0)};
}

ServiceManager::ServiceManager(std::string socket, Micros watchdog)
    : socket_(std::move(socket)), watchdog_(watchdog) {}

void ServiceManager::status(std::string_view line) const {
  send("STATUS=" + std::string(line.substr(0, line.find('\n'))));
}

void ServiceManager::keep_alive(Micros now) {
  if (watchdog_ <= Micros(0) || now < next_) return;
  next_ = now + watchdog_ / 2;
  send("WATCHDOG=1");
}

void ServiceManager::send(std::string_view message) const {
  sockaddr_un address{};
  if (socket_.empty() || socket_.size() >= sizeof address.sun_path) return;
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, socket_.data(), socket_.size());
  if (socket_[0] == '@') address.sun_path[0] = '\0';
  const int descriptor = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return;
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_.size());
  const auto* const to = reinterpret_cast<const sockaddr*>(&address);
  const ssize_t sent =
      ::sendto(descriptor, message.data(), message.size(), MSG_NOSIGNAL | MSG_DONTWAIT, to, length);
  static_cast<void>(sent);
  ::close(descriptor);
}

}  // namespace ectoscope
