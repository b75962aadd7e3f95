#include "outputs/listener.h"

#include <array>
#include <cerrno>
#include <memory>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <system_error>

namespace ectoscope {
namespace {

constexpr int kBacklog = 256;

struct HostPort {
  std::string host;  // empty: any address
  std::string port;
};

Result<HostPort> split(const std::string& address) {
  const size_t colon = address.rfind(':');
  const Error wrong{"'" + address +
                    "' is no address to listen on; write HOST:PORT, [IPv6]:PORT or :PORT"};
  if (colon == std::string::npos || colon + 1 == address.size()) return wrong;
  HostPort parts{address.substr(0, colon), address.substr(colon + 1)};
  if (parts.port.size() > 5 || parts.port.find_first_not_of("0123456789") != std::string::npos ||
      std::stoul(parts.port) > UINT16_MAX) {
    return wrong;
  }
  if (parts.host.starts_with('[') && parts.host.ends_with(']')) {
    parts.host = parts.host.substr(1, parts.host.size() - 2);
  } else if (parts.host.find(':') != std::string::npos) {
    return wrong;
  }
  return parts;
}

std::string why_not(const std::string& address, int error) {
  std::string text = "cannot listen on " + address + ": " +
                     std::error_code(error, std::system_category()).message();
  if (error == EADDRINUSE) {
    text +=
        "; another process has this port (`ss -ltnp` says which): stop it, or choose another "
        "with --web.listen-address";
  } else if (error == EACCES) {
    text += "; ports below 1024 need CAP_NET_BIND_SERVICE: choose a higher one";
  } else if (error == EADDRNOTAVAIL) {
    text += "; no interface of this machine has this address";
  }
  return text;
}

uint16_t port_of(int socket) {
  sockaddr_storage name{};
  socklen_t size = sizeof name;
  if (getsockname(socket, reinterpret_cast<sockaddr*>(&name), &size) != 0) return 0;
  if (name.ss_family == AF_INET6) {
    return ntohs(reinterpret_cast<const sockaddr_in6*>(&name)->sin6_port);
  }
  return ntohs(reinterpret_cast<const sockaddr_in*>(&name)->sin_port);
}

int open_one(const addrinfo& info, bool any, Listener& listener) {
  listener.socket = UniqueFd(
      socket(info.ai_family, info.ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, info.ai_protocol));
  const int fd = listener.socket.get();
  if (fd < 0) return errno;
  const int on = 1;
  const int off = 0;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (any && info.ai_family == AF_INET6) {
    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);  // both families
  }
  if (bind(fd, info.ai_addr, info.ai_addrlen) != 0 || ::listen(fd, kBacklog) != 0) return errno;
  listener.port = port_of(fd);
  return 0;
}

}  // namespace

Result<Listener> listen_on(const std::string& address) {
  auto parts = split(address);
  if (!parts.ok()) return parts.error();
  const bool any = parts.value().host.empty();
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* list = nullptr;
  const int failed = getaddrinfo(any ? nullptr : parts.value().host.c_str(),
                                 parts.value().port.c_str(), &hints, &list);
  if (failed != 0) {
    return Error{"cannot listen on " + address + ": " + gai_strerror(failed) +
                 "; write an address of this machine"};
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> held(list, &freeaddrinfo);
  int error = EADDRNOTAVAIL;
  // For any address IPv6 goes first: it serves IPv4 too, where the machine has it.
  for (const int family : any ? std::array{AF_INET6, AF_INET} : std::array{AF_INET, AF_INET6}) {
    for (const addrinfo* info = list; info != nullptr; info = info->ai_next) {
      if (info->ai_family != family) continue;
      Listener listener;
      error = open_one(*info, any, listener);
      if (error == 0) return listener;
      if (error == EADDRINUSE) return Error{why_not(address, error)};
    }
  }
  return Error{why_not(address, error)};
}

std::string remote_address_of(int socket) {
  sockaddr_storage name{};
  socklen_t size = sizeof name;
  std::array<char, NI_MAXHOST> text{};
  if (getpeername(socket, reinterpret_cast<sockaddr*>(&name), &size) != 0 ||
      getnameinfo(reinterpret_cast<sockaddr*>(&name), size, text.data(), text.size(), nullptr, 0,
                  NI_NUMERICHOST) != 0) {
    return {};
  }
  return text.data();
}

}  // namespace ectoscope
