#include <algorithm>
#include <chrono>
#include <string>

#include "parsers/envelope.h"
#include "parsers/envelope_times.h"
#include "parsers/stamps.h"

namespace ectoscope {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// `stdout F ` or `stderr P ` at the front: what a container runtime puts into /var/log/pods.  P:
/// the line goes on in the next one.
size_t runtime_mark_length(std::string_view text) {
  const bool stream = text.starts_with("stdout ") || text.starts_with("stderr ");
  const std::string_view mark = text.substr(std::min<size_t>(text.size(), 7), 2);
  return stream && (mark == "F " || mark == "P ") ? 9 : 0;
}

/// What stands in front of a line's text.
struct Header {
  EnvelopeTime time;
  std::string_view program;  // empty: none is named
  int32_t pid = 0;
  bool goes_on = false;
  size_t length = 0;  // up to the text; 0: this is no header
};

size_t number_at(std::string_view text, size_t at, int64_t& number) {
  constexpr size_t kMost = 10;
  number = 0;
  size_t end = at;
  for (; end < text.size() && end < at + kMost && is_digit(text[end]); ++end)
    number = number * 10 + (text[end] - '0');
  return end - at;
}

/// `<134>` at the front; its length.
size_t priority_length(std::string_view line) {
  int64_t number = 0;
  if (!line.starts_with('<')) return 0;
  const size_t digits = number_at(line, 1, number);
  return digits != 0 && digits <= 3 && line.substr(1 + digits).starts_with('>') ? digits + 2 : 0;
}

int32_t pid_of(std::string_view text) {
  int64_t number = 0;
  const bool all = number_at(text, 0, number) == text.size() && !text.empty();
  return all && number <= INT32_MAX ? static_cast<int32_t>(number) : 0;
}

/// `postgres[123]: ` or `postgres: ` at the front of the text; its length, 0 when there is none.
size_t read_tag(std::string_view text, Header& header) {
  constexpr size_t kLongest = 128;
  size_t name = 0;
  while (name < text.size() && name < kLongest && text[name] != '[' && text[name] != ':' &&
         static_cast<unsigned char>(text[name]) > ' ')
    ++name;
  size_t at = name;
  if (name == 0 || is_digit(text[0])) return 0;
  if (text.substr(at).starts_with('[')) {
    const size_t closing = text.find(']', at);
    if (closing == std::string_view::npos || closing - at > kLongest) return 0;
    header.pid = pid_of(text.substr(at + 1, closing - at - 1));
    at = closing + 1;
  }
  if (!text.substr(at).starts_with(':')) return 0;
  ++at;
  header.program = text.substr(0, name);
  return text.substr(at).starts_with(' ') ? at + 1 : at;
}

/// `-` or `[id key="value"][...]` at the front; 0 when it does not end.
size_t structured_data_length(std::string_view text) {
  if (text.starts_with('-')) return 1;
  size_t at = 0;
  while (text.substr(at).starts_with('[')) {
    bool quoted = false;
    for (++at; at < text.size() && (quoted || text[at] != ']'); ++at) {
      if (text[at] == '\\')
        ++at;
      else if (text[at] == '"')
        quoted = !quoted;
    }
    if (at >= text.size()) return 0;
    ++at;
  }
  return at;
}

/// `1 2026-11-22T08:27:00Z host postgres 123 - - ` behind the priority.
Header read_rfc5424(std::string_view line, size_t at) {
  Header header;
  at += 2;
  header.time = read_rfc3339(line.substr(at));
  at += header.time.length;
  if (header.time.length == 0 && line.substr(at).starts_with('-')) ++at;
  const auto field = [&]() -> std::string_view {
    if (!line.substr(at).starts_with(' ')) return {};
    const size_t end = std::min(line.find(' ', at + 1), line.size());
    const std::string_view text = line.substr(at + 1, end - at - 1);
    at = end;
    return text;
  };
  const std::string_view host = field();
  header.program = field();
  header.pid = pid_of(field());
  const std::string_view message_id = field();
  if (host.empty() || message_id.empty() || !line.substr(at).starts_with(' ')) return {};
  ++at;
  const size_t data = structured_data_length(line.substr(at));
  if (data == 0) return {};
  at += data;
  if (line.substr(at).starts_with(' ')) ++at;
  if (line.substr(at).starts_with(kByteOrderMark)) at += kByteOrderMark.size();
  header.length = at;
  return header;
}

Header read_header(std::string_view line, EventTime now, std::chrono::seconds offset) {
  size_t at = priority_length(line);
  if (at != 0 && line.substr(at).starts_with("1 ")) return read_rfc5424(line, at);
  Header header;
  header.time = read_rfc3339(line.substr(at));
  const bool full = header.time.length != 0;
  if (!full) header.time = read_syslog_time(line.substr(at), now, offset);
  if (header.time.length == 0) return {};
  at += header.time.length;
  if (!line.substr(at).starts_with(' ')) return {};
  ++at;
  if (const size_t mark = full ? runtime_mark_length(line.substr(at)) : 0; mark != 0) {
    header.goes_on = line[at + mark - 2] == 'P';
    header.length = at + mark;
    return header;
  }
  const std::string_view rest = line.substr(at);
  if (full && (rest.starts_with('\t') || rest.starts_with('{'))) {
    header.length = at;
    return header;
  }
  if (const size_t tag = read_tag(rest, header); tag != 0) {  // journalctl --no-hostname
    header.length = at + tag;
    return header;
  }
  const size_t host = rest.find(' ');
  if (host != std::string_view::npos && host != 0) {
    if (const size_t tag = read_tag(rest.substr(host + 1), header); tag != 0) {
      header.length = at + host + 1 + tag;
      return header;
    }
  }
  if (full) header.length = at;  // a stamp alone
  return header;
}

/// The byte that `#011` stands for, or -1.
int escaped_byte(std::string_view text) {
  if (text.size() < 4 || text[1] < '0' || text[1] > '1' || text[2] < '0' || text[2] > '7' ||
      text[3] < '0' || text[3] > '7')
    return -1;
  const int byte = (text[1] - '0') * 64 + (text[2] - '0') * 8 + (text[3] - '0');
  return byte < ' ' || byte == 127 ? byte : -1;
}

bool names_postgres(std::string_view program) {
  return program.find("postgres") != std::string_view::npos;
}

class SyslogEnvelope final : public Envelope {
 public:
  explicit SyslogEnvelope(const LogParserOptions& options)
      : now_(options.now),
        offset_(utc_offset(options.timezone).value_or(std::chrono::seconds(0))) {}

  [[nodiscard]] Frame frame(std::string_view bytes) const override {
    const size_t newline = bytes.find('\n');
    return {newline == std::string_view::npos ? 0 : newline + 1, false};
  }

  Opened open(std::string_view entry, Wrapped& out) override {
    while (entry.ends_with('\n') || entry.ends_with('\r'))
      entry.remove_suffix(1);
    // What journalctl prints where the log begins, or the machine was started.
    if (entry.empty() || entry.starts_with("-- ")) return Opened::kNothing;
    const Header header = read_header(entry, now_, offset_);
    if (header.length == 0) return Opened::kBroken;
    out.text = unescape(entry.substr(header.length));
    out.has_time = header.time.length != 0;
    out.coarse = header.time.coarse;
    out.at = header.time.at;
    out.pid = header.pid;
    out.goes_on = header.goes_on;
    out.by_postgres = header.program.empty() || names_postgres(header.program);
    return Opened::kText;
  }

  [[nodiscard]] std::string_view broken_reason() const override { return "no_syslog_header"; }

 private:
  /// rsyslog writes control characters as #011.  A line break that comes so may be anyone's: with a
  /// TAB behind it, it can begin no record.
  std::string_view unescape(std::string_view text) {
    if (text.find("#0") == std::string_view::npos && text.find("#1") == std::string_view::npos)
      return text;
    scratch_.clear();
    for (size_t at = 0; at < text.size(); ++at) {
      const int byte = text[at] == '#' ? escaped_byte(text.substr(at)) : -1;
      if (byte < 0) {
        scratch_ += text[at];
        continue;
      }
      at += 3;
      scratch_ += static_cast<char>(byte);
      if (byte == '\n' && !text.substr(at + 1).starts_with("#011")) scratch_ += '\t';
    }
    return scratch_;
  }

  EventTime now_;
  std::chrono::seconds offset_;
  std::string scratch_;
};

}  // namespace

std::unique_ptr<Envelope> make_syslog_envelope(const LogParserOptions& options) {
  return std::make_unique<SyslogEnvelope>(options);
}

bool looks_like_syslog(std::string_view line) {
  return read_header(line, EventTime(), std::chrono::seconds(0)).length != 0;
}

}  // namespace ectoscope
