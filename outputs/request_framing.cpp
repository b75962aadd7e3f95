#include "outputs/request_framing.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace ectoscope {
namespace {

constexpr int kBadRequest = 400;
constexpr int kTooLarge = 413;
constexpr int kUriTooLong = 414;
constexpr int kHeadersTooLarge = 431;
constexpr int kNotImplemented = 501;
constexpr int kWrongVersion = 505;
constexpr size_t kMostBlankLines = 4;

constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";  // of a token, besides letters and digits

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           kMarks.find(c) != std::string_view::npos;
  });
}

bool same_name(std::string_view name, std::string_view lower) {
  return name.size() == lower.size() &&
         std::equal(name.begin(), name.end(), lower.begin(),
                    [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; });
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t'))
    text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t'))
    text.remove_suffix(1);
  return text;
}

/// Reads the lines of a whole head.
class HeadReader {
 public:
  HeadReader(const RequestLimits& limits, RequestFrame& frame) : limits_(limits), frame_(frame) {}

  /// 0, or the status that refuses.
  int read(std::string_view head) {
    size_t count = 0;
    for (bool first = true; !head.empty(); first = false) {
      const size_t end = head.find("\r\n");
      const std::string_view line = head.substr(0, end);
      head.remove_prefix(std::min(head.size(), line.size() + 2));
      if (line.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos) {
        return kBadRequest;
      }
      if (!first && line.empty()) break;
      if (!first && ++count > limits_.headers) return kHeadersTooLarge;
      if (const int status = first ? request_line(line) : header(line)) return status;
    }
    return with_host_ || !needs_host_ ? 0 : kBadRequest;
  }

 private:
  int request_line(std::string_view line) {
    if (line.size() > limits_.request_line_bytes) return kUriTooLong;
    const size_t first = line.find(' ');
    const size_t last = line.rfind(' ');
    if (first == std::string_view::npos || first == last) return kBadRequest;
    frame_.method = line.substr(0, first);
    const std::string_view target = line.substr(first + 1, last - first - 1);
    const std::string_view version = line.substr(last + 1);
    if (!is_token(frame_.method) || target.find(' ') != std::string_view::npos) return kBadRequest;
    if (target.empty() || target.front() != '/') return kBadRequest;
    frame_.path = target.substr(0, target.find_first_of("?#"));
    needs_host_ = version == "HTTP/1.1";
    return needs_host_ || version == "HTTP/1.0" ? 0 : kWrongVersion;
  }

  int header(std::string_view line) {
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) return kBadRequest;
    const std::string_view name = line.substr(0, colon);  // a folded line's begins with a blank
    const std::string_view value = trimmed(line.substr(colon + 1));
    if (!is_token(name)) return kBadRequest;
    if (same_name(name, "transfer-encoding")) return kNotImplemented;
    if (same_name(name, "host")) {
      if (with_host_) return kBadRequest;
      with_host_ = true;
    }
    if (same_name(name, "authorization")) {
      if (with_authorization_) return kBadRequest;
      with_authorization_ = true;
      frame_.authorization = value;
    }
    if (!same_name(name, "content-length")) return 0;
    size_t length = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), length);
    if (with_length_ || value.empty() || end != value.data() + value.size()) return kBadRequest;
    if (error == std::errc::result_out_of_range) return kTooLarge;
    if (error != std::errc{}) return kBadRequest;
    with_length_ = true;
    frame_.body_size = length;
    return length > limits_.body_bytes ? kTooLarge : 0;
  }

  const RequestLimits& limits_;
  RequestFrame& frame_;
  bool needs_host_ = true;
  bool with_host_ = false;
  bool with_length_ = false;
  bool with_authorization_ = false;
};

RequestFrame refused(RequestFrame frame, int status) {
  frame.state = RequestFrame::State::kRefused;
  frame.status = status;
  return frame;
}

}  // namespace

RequestFrame frame_request(std::string_view received, const RequestLimits& limits) {
  RequestFrame frame;
  while (received.substr(frame.skipped).starts_with("\r\n") && frame.skipped < 2 * kMostBlankLines)
    frame.skipped += 2;
  const std::string_view text = received.substr(frame.skipped);
  const size_t end = text.find("\r\n\r\n");
  if (end == std::string_view::npos || end + 4 > limits.head_bytes) {
    const size_t line = std::min(text.find('\n'), text.size());
    if (line > limits.request_line_bytes + 2) return refused(frame, kUriTooLong);
    if (text.size() > limits.head_bytes) return refused(frame, kHeadersTooLarge);
    if (!text.empty() && !is_token(text.substr(0, 1)) && text != "\r") {
      return refused(frame, kBadRequest);  // another protocol: no need to wait for its end
    }
    return frame;
  }
  frame.head_size = end + 4;
  HeadReader reader(limits, frame);
  if (const int status = reader.read(text.substr(0, frame.head_size))) {
    return refused(frame, status);
  }
  if (text.size() >= frame.head_size + frame.body_size) {
    frame.state = RequestFrame::State::kComplete;
  }
  return frame;
}

}  // namespace ectoscope
