// What the tests of the log formats share.
#pragma once

#include <fstream>
#include <iterator>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "parsers/log_format.h"

namespace ectoscope {

/// A record that outlives its block.
struct KeptRecord {
  int64_t at = 0;  // microseconds
  int32_t pid = 0;
  LogSeverity severity = LogSeverity::kUnknown;
  int64_t query_id = 0;
  uint64_t offset = 0;
  bool coarse = false;
  std::string session, virtual_xid, user, database, application, client_host, sqlstate;
  std::string message, detail, hint, context, statement;

  bool operator==(const KeptRecord&) const = default;
};

inline void PrintTo(const KeptRecord& record, std::ostream* out) {
  *out << record.at << " [" << record.pid << "] " << record.user << '@' << record.database << ' '
       << record.message.substr(0, 200);
}

inline KeptRecord keep(const LogRecord& record) {
  const auto text = [](std::string_view view) { return std::string(view); };
  return {record.at.time_since_epoch().count(),
          record.pid,
          record.severity,
          record.query_id,
          record.offset,
          record.coarse_time,
          text(record.session),
          text(record.virtual_xid),
          text(record.user),
          text(record.database),
          text(record.application),
          text(record.client_host),
          text(record.sqlstate),
          text(record.message),
          text(record.detail),
          text(record.hint),
          text(record.context),
          text(record.statement)};
}

class Keeper final : public RecordHandler {
 public:
  void on_record(const LogRecord& record) override { records.push_back(keep(record)); }
  void on_late_part(const LogRecord& part) override { late_parts.push_back(keep(part)); }

  std::vector<KeptRecord> records;
  std::vector<KeptRecord> late_parts;
};

struct Parsed {
  std::vector<KeptRecord> records;
  std::vector<KeptRecord> late_parts;
  DropCounts drops;
};

/// Gives the log to the parser as a reader does: `block` more bytes each time.
inline Parsed parse_in_blocks(LogParser& parser, std::string_view log, size_t block) {
  Keeper keeper;
  size_t begin = 0;
  size_t end = 0;
  while (end < log.size()) {
    end = std::min(end + block, log.size());
    begin += parser.parse(log.substr(begin, end - begin), false, keeper);
  }
  parser.parse(log.substr(begin), true, keeper);
  return {keeper.records, keeper.late_parts, parser.drops()};
}

inline Parsed parse_log(std::string_view log, const LogParserOptions& options = {},
                        size_t block = SIZE_MAX) {
  const std::unique_ptr<LogParser> parser = make_log_parser(options);
  return parse_in_blocks(*parser, log, std::min(block, log.size() + 1));
}

inline std::string read_test_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace ectoscope
