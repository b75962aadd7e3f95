// Listening sockets by their written address.
#pragma once

#include <cstdint>
#include <string>

#include "core/result.h"
#include "outputs/channel.h"

namespace ectoscope {

struct Listener {
  UniqueFd socket;
  uint16_t port = 0;
};

/// "host:port", "[::1]:port" or ":port" (any address).  The error says what to do.
Result<Listener> listen_on(const std::string& address);

/// The numeric address at the other end; empty when there is none.
std::string remote_address_of(int socket);

}  // namespace ectoscope
