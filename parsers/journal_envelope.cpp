#include <algorithm>

#include "parsers/json_envelope.h"

namespace ectoscope {
namespace {

constexpr size_t kLengthBytes = 8;

/// What is used of an entry, whichever way it is written.
class JournalFields {
 public:
  /// All but MESSAGE.
  void take(std::string_view name, std::string_view value, Wrapped& out) {
    if (name == "__REALTIME_TIMESTAMP") {
      out.at = EventTime(Micros(whole_number(value)));
      out.has_time = true;
    } else if (name == "SYSLOG_PID") {
      syslog_pid_ = whole_number(value);
    } else if (name == "_PID") {
      out.pid = static_cast<int32_t>(whole_number(value) & INT32_MAX);
    } else if (name == "SYSLOG_IDENTIFIER" || name == "_COMM") {
      out.by_postgres = out.by_postgres || value.find("postgres") != std::string_view::npos;
    } else if (name == "_LINE_BREAK") {
      out.goes_on = value == "line-max";
    }
  }

  [[nodiscard]] Opened finish(bool has_text, Wrapped& out) const {
    if (!has_text) return out.by_postgres ? Opened::kBroken : Opened::kOther;
    if (syslog_pid_ != 0) out.pid = static_cast<int32_t>(syslog_pid_ & INT32_MAX);
    return Opened::kText;
  }

 private:
  int64_t syslog_pid_ = 0;
};

class JournalObjects final : public ObjectEnvelope {
 private:
  void begin() override {
    fields_ = {};
    has_text_ = false;
  }

  void take(const JsonMembers& member, Wrapped& out) override {
    if (member.key() != "MESSAGE") return fields_.take(member.key(), member.value(), out);
    has_text_ = true;
    if (member.is_string())
      out.text = unescape_json(member.value(), scratch_);
    else
      has_text_ = read_bytes(member.value(), out.text);
  }

  Opened finish(Wrapped& out) override { return fields_.finish(has_text_, out); }

  /// [76, 79, 71]: how a text that is no UTF-8 is written.
  bool read_bytes(std::string_view array, std::string_view& text) {
    if (!array.starts_with('[')) return false;  // null: too long to be shown
    scratch_.clear();
    int number = -1;
    for (const char c : array.substr(1)) {
      if (c >= '0' && c <= '9') {
        number = std::max(number, 0) * 10 + (c - '0');
        if (number > UINT8_MAX) return false;
      } else if (number >= 0) {
        scratch_ += static_cast<char>(number);
        number = -1;
      }
    }
    text = scratch_;
    return true;
  }

  JournalFields fields_;
  bool has_text_ = false;
  std::string scratch_;
};

bool is_name(std::string_view text) {
  constexpr size_t kLongest = 64;
  return !text.empty() && text.size() <= kLongest &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
         });
}

/// A field of the export format: NAME=text, or NAME, a line break, a length and so many bytes.
struct Field {
  std::string_view name;
  std::string_view value;
  size_t length = 0;  // with its line break; 0: not whole
  bool broken = false;
};

Field read_field(std::string_view bytes) {
  Field field;
  const size_t newline = bytes.find('\n');
  if (newline == std::string_view::npos) return field;
  const std::string_view line = bytes.substr(0, newline);
  const size_t equals = line.find('=');
  field.name = line.substr(0, equals);
  field.broken = !is_name(field.name);
  field.length = newline + 1;
  if (field.broken) return field;
  if (equals != std::string_view::npos) {
    field.value = line.substr(equals + 1);
    return field;
  }
  const std::string_view rest = bytes.substr(newline + 1);
  if (rest.size() < kLengthBytes) return {};
  uint64_t length = 0;
  for (size_t i = kLengthBytes; i-- > 0;)
    length = length << 8U | static_cast<unsigned char>(rest[i]);
  constexpr uint64_t kMost = uint64_t{1} << 30U;
  if (length > kMost) {
    field.broken = true;
    return field;
  }
  if (rest.size() - kLengthBytes <= length) return {};
  field.value = rest.substr(kLengthBytes, length);
  field.broken = rest[kLengthBytes + length] != '\n';
  field.length = newline + 1 + kLengthBytes + length + 1;
  return field;
}

/// Takes each entry for what it looks like: people join such files.
class JournalEnvelope final : public Envelope {
 public:
  explicit JournalEnvelope(const LogParserOptions& options)
      : lines_(make_syslog_envelope(options)) {}

  [[nodiscard]] Frame frame(std::string_view bytes) const override {
    if (bytes[0] == '{') return objects_.frame(bytes);
    if (bytes[0] == '\n') return {1, false};
    const size_t newline = bytes.find('\n');
    if (newline == std::string_view::npos) return {};
    if (!begins_export(bytes)) return {newline + 1, false};
    size_t at = 0;
    while (at < bytes.size()) {
      if (bytes[at] == '\n') return {at + 1, false};
      const Field field = read_field(bytes.substr(at));
      if (field.length == 0) return {};
      if (at != 0 && field.name == "__CURSOR") return {at, true};
      at += field.length;
      if (field.broken) return {at, true};
    }
    return {};
  }

  Opened open(std::string_view entry, Wrapped& out) override {
    if (entry[0] == '{') return objects_.open(entry, out);
    if (entry[0] == '\n') return Opened::kNothing;
    if (begins_export(entry)) return open_export(entry, out);
    return lines_->open(entry, out);
  }

  [[nodiscard]] std::string_view broken_reason() const override { return "bad_journal_entry"; }

 private:
  static bool begins_export(std::string_view entry) {
    return is_name(entry.substr(0, entry.find_first_of("=\n")));
  }

  static Opened open_export(std::string_view entry, Wrapped& out) {
    JournalFields fields;
    bool has_text = false;
    for (size_t at = 0; at < entry.size() && entry[at] != '\n';) {
      const Field field = read_field(entry.substr(at));
      if (field.length == 0 || field.broken) return Opened::kBroken;
      at += field.length;
      if (field.name == "MESSAGE") {
        out.text = field.value;
        has_text = true;
      } else {
        fields.take(field.name, field.value, out);
      }
    }
    return fields.finish(has_text, out);
  }

  JournalObjects objects_;
  std::unique_ptr<Envelope> lines_;
};

}  // namespace

std::unique_ptr<Envelope> make_journal_envelope(const LogParserOptions& options) {
  return std::make_unique<JournalEnvelope>(options);
}

bool looks_like_journal(std::string_view line) {
  return line.starts_with("__CURSOR=") || line.starts_with("__REALTIME_TIMESTAMP=") ||
         (line.starts_with('{') && line.find("\"__REALTIME_TIMESTAMP\"") != std::string_view::npos);
}

}  // namespace ectoscope
