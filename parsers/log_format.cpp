#include "parsers/log_format.h"

#include <algorithm>
#include <array>
#include <string>

#include "parsers/csv_log.h"
#include "parsers/envelope.h"
#include "parsers/envelope_log.h"
#include "parsers/json_log.h"
#include "parsers/line_prefix.h"
#include "parsers/stamps.h"
#include "parsers/stderr_log.h"

namespace ectoscope {
namespace {

constexpr size_t kLinesToLookAt = 50;
constexpr size_t kEnoughBytes = size_t{64} * 1024;
constexpr size_t kMaxPhaseHead = 128;

bool looks_like_csv(std::string_view line, StampReader& stamps) {
  const Stamp stamp = stamps.read(line);
  return stamp.length != 0 && line.substr(stamp.length).starts_with(',') &&
         std::count(line.begin(), line.end(), ',') >= 10;
}

bool looks_like_json(std::string_view line) {
  return line.starts_with('{') && line.find("\"timestamp\"") != std::string_view::npos &&
         !looks_like_cloudsql(line);
}

/// Formats that a line shows by its look alone, whatever its text says.
std::optional<LogFormat> wrapped_format(std::string_view line) {
  if (looks_like_journal(line)) return LogFormat::kJournald;
  if (looks_like_cnpg(line)) return LogFormat::kCnpg;
  if (looks_like_json(line)) return LogFormat::kJson;
  if (looks_like_cloudsql(line)) return LogFormat::kCloudSql;
  if (looks_like_syslog(line)) return LogFormat::kSyslog;
  return std::nullopt;
}

/// It can't be changed there, and needs no finding.
LogParserOptions with_rds_prefix(LogParserOptions options) {
  if (options.log_line_prefix.empty()) options.log_line_prefix = "%t:%r:%u@%d:[%p]:";
  return options;
}

class DetectingParser final : public LogParser {
 public:
  explicit DetectingParser(LogParserOptions options) : options_(std::move(options)) {}

  size_t parse(std::string_view bytes, bool last, RecordHandler& handler) override {
    if (!parser_) {
      std::optional<LogFormat> format = detect_log_format(bytes);
      if (!format && !last && bytes.size() < kEnoughBytes) return 0;
      choose(format.value_or(LogFormat::kStderr));
    }
    return parser_->parse(bytes, last, handler);
  }

  void skipped(uint64_t bytes) override {
    if (!parser_) choose(LogFormat::kStderr);
    parser_->skipped(bytes);
  }

  [[nodiscard]] const DropCounts& drops() const override {
    return parser_ ? parser_->drops() : none_;
  }
  [[nodiscard]] uint64_t records() const override { return parser_ ? parser_->records() : 0; }

 private:
  void choose(LogFormat format) { parser_ = make_log_parser(format, options_); }

  LogParserOptions options_;
  std::unique_ptr<LogParser> parser_;
  DropCounts none_;
};

}  // namespace

std::optional<LogFormat> log_format_named(std::string_view name) {
  static constexpr std::array<std::pair<std::string_view, LogFormat>, 8> kNames = {
      {{"stderr", LogFormat::kStderr},
       {"csvlog", LogFormat::kCsv},
       {"jsonlog", LogFormat::kJson},
       {"cnpg", LogFormat::kCnpg},
       {"cloudsql", LogFormat::kCloudSql},
       {"rds", LogFormat::kRds},
       {"syslog", LogFormat::kSyslog},
       {"journald", LogFormat::kJournald}}};
  for (const auto& [known, format] : kNames)
    if (known == name) return format;
  return std::nullopt;
}

std::optional<LogFormat> detect_log_format(std::string_view head) {
  StampReader stamps("UTC");
  for (size_t i = 0; i < kLinesToLookAt; ++i) {
    const size_t end = head.find('\n');
    if (end == std::string_view::npos) {
      if (looks_like_csv(head, stamps)) return LogFormat::kCsv;
      return wrapped_format(head);
    }
    const std::string_view line = head.substr(0, end);
    if (const auto wrapped = wrapped_format(line)) return wrapped;
    if (stamps.read(line).length != 0)
      return looks_like_csv(line, stamps) ? LogFormat::kCsv : LogFormat::kStderr;
    head.remove_prefix(end + 1);
  }
  return LogFormat::kStderr;
}

bool is_phase_message(std::string_view message) {
  if (!message.starts_with("duration: ")) return false;
  const std::string_view head = message.substr(0, kMaxPhaseHead);
  const size_t phase = head.find(" ms  ");
  if (phase == std::string_view::npos) return false;
  const std::string_view word = head.substr(phase + 5);
  return (word.starts_with("parse ") || word.starts_with("bind ")) &&
         word.find(": ") != std::string_view::npos;
}

std::unique_ptr<LogParser> make_log_parser(LogFormat format, const LogParserOptions& options) {
  switch (format) {
    case LogFormat::kCsv:
      return make_csv_parser(options);
    case LogFormat::kJson:
      return make_json_parser(options);
    case LogFormat::kCnpg:
      return make_cnpg_parser(options);
    case LogFormat::kCloudSql:
      return make_envelope_parser(make_cloudsql_envelope(), options);
    case LogFormat::kSyslog:
      return make_envelope_parser(make_syslog_envelope(options), options);
    case LogFormat::kJournald:
      return make_envelope_parser(make_journal_envelope(options), options);
    case LogFormat::kRds:
      return make_stderr_parser(with_rds_prefix(options));
    case LogFormat::kStderr:
      break;
  }
  return make_stderr_parser(options);
}

std::unique_ptr<LogParser> make_log_parser(const LogParserOptions& options) {
  return std::make_unique<DetectingParser>(options);
}

std::optional<std::string> problem_of_log_line_prefix(std::string_view log_line_prefix) {
  if (LinePrefix(log_line_prefix).has_stamp()) return std::nullopt;
  return "has no stamp (%m, %t or %n): without one no record has a time; leave the prefix out to "
         "have it found";
}

}  // namespace ectoscope
