// Where an HTTP/1.1 request ends, and whether it is one that we take at all.
//
// Strict on purpose: what two readers could understand differently is refused, not guessed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ectoscope {

struct RequestLimits {
  size_t request_line_bytes = 8000;
  size_t head_bytes = size_t{16} * 1024;  // request line and headers
  size_t body_bytes = size_t{64} * 1024;
  size_t headers = 100;
};

struct RequestFrame {
  enum class State : uint8_t { kIncomplete, kComplete, kRefused };

  State state = State::kIncomplete;
  size_t skipped = 0;    // blank lines before the request, in bytes
  size_t head_size = 0;  // with the empty line, counted after `skipped`
  size_t body_size = 0;
  int status = 0;  // when refused
  std::string_view method;
  std::string_view path;           // as sent, without the query
  std::string_view authorization;  // empty: none

  [[nodiscard]] size_t size() const { return skipped + head_size + body_size; }
};

/// Looks at what has come so far.  The views point into `received`.  Never kIncomplete once a limit
/// is passed, so a buffer that is read until then is bounded by the limits.
RequestFrame frame_request(std::string_view received, const RequestLimits& limits);

}  // namespace ectoscope
