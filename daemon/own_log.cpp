#include "daemon/own_log.h"

#include <algorithm>

#include "outputs/json_writer.h"

namespace ectoscope {
namespace {

constexpr Micros kQuiet{10'000'000};
constexpr size_t kMostRecent = 1000;

constexpr std::string_view name_of(LogLevel level) {
  constexpr std::string_view kNames[] = {"debug", "info", "warn", "error"};
  return kNames[static_cast<size_t>(level)];
}

/// In quotes, with what would end the line or the quotes escaped, and what is no UTF-8 replaced:
/// for both formats.
std::string quoted(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
  std::string out = "\"";
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x80) {
      const size_t length = utf8_length(text.substr(i));
      out += length == 0 ? kReplacement : text.substr(i, length);
      if (length > 1) i += length - 1;
    } else if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (byte < 0x20 || byte == 0x7F) {
      out += "\\u00";
      out += kHex[byte >> 4U];
      out += kHex[byte & 0xFU];
    } else {
      out += c;
    }
  }
  return out + '"';
}

bool plain(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return c > ' ' && c != '"' && c != '=' && c != '\\' && c != '\x7F';
  });
}

}  // namespace

OwnLog::OwnLog(const Clock& clock, Format format, LogLevel least,
               std::function<void(std::string_view)> write)
    : clock_(clock), format_(format), least_(least), write_(std::move(write)) {}

void OwnLog::write(LogLevel level, std::string_view message, std::initializer_list<Field> fields) {
  if (level < least_) return;
  std::string key(message);
  if (fields.size() != 0) key.append(1, '\0').append(fields.begin()->second);
  const Micros now = clock_.steady();
  const std::lock_guard lock(mutex_);
  const auto known = recent_.find(key);
  uint64_t left_out = 0;
  if (known != recent_.end()) {
    if (now - known->second.at < kQuiet) {
      ++known->second.left_out;
      return;
    }
    left_out = known->second.left_out;
  } else if (recent_.size() >= kMostRecent) {
    std::erase_if(recent_, [now](const auto& it) { return now - it.second.at >= kQuiet; });
    if (recent_.size() >= kMostRecent) recent_.clear();
  }
  recent_[key] = {now, 0};
  write_(line(level, message, fields, left_out));
}

std::string OwnLog::line(LogLevel level, std::string_view message,
                         std::initializer_list<Field> fields, uint64_t left_out) const {
  const bool json = format_ == Format::kJson;
  std::string out = json ? "{" : "";
  const auto add = [&](std::string_view name, std::string_view value, bool number = false) {
    if (out.size() > 1) out += json ? ',' : ' ';
    out += json ? quoted(name) : std::string(name);
    out += json ? ':' : '=';
    const bool bare = json ? number : number || plain(value);
    out += bare ? std::string(value) : quoted(value);
  };
  add("ts", format_rfc3339(clock_.wall()));
  add("level", name_of(level));
  add("msg", message);
  for (const auto& [name, value] : fields)
    add(name, value);
  if (left_out != 0) add("repeated", std::to_string(left_out), true);
  return out + (json ? "}\n" : "\n");
}

}  // namespace ectoscope
