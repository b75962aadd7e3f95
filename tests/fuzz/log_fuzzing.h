// What the fuzzers of the log formats share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "parsers/log_format.h"

namespace ectoscope {

/// Touches every byte of a record, so that a view that points elsewhere is noticed.
class RecordHash final : public RecordHandler {
 public:
  void on_record(const LogRecord& record) override { add(record); }
  void on_late_part(const LogRecord& part) override { add(part); }

  uint64_t hash = 0;

 private:
  void add(const LogRecord& record) {
    add(static_cast<uint64_t>(record.at.time_since_epoch().count()));
    add(static_cast<uint64_t>(record.pid) << 8U | static_cast<uint64_t>(record.severity));
    add(static_cast<uint64_t>(record.query_id));
    for (const std::string_view text :
         {record.session, record.virtual_xid, record.user, record.database, record.application,
          record.client_host, record.sqlstate, record.message, record.detail, record.hint,
          record.context, record.statement}) {
      add(text.size());
      for (const char c : text)
        add(static_cast<unsigned char>(c));
    }
  }
  void add(uint64_t value) { hash = (hash ^ value) * 0x100000001B3ULL; }
};

inline uint64_t parse_all(LogFormat format, std::string_view log, size_t block) {
  const std::unique_ptr<LogParser> parser = make_log_parser(format, {});
  RecordHash handler;
  size_t begin = 0;
  for (size_t end = 0; end < log.size();) {
    end += block < log.size() - end ? block : log.size() - end;
    const size_t used = parser->parse(log.substr(begin, end - begin), false, handler);
    if (used > end - begin) std::abort();
    begin += used;
  }
  if (parser->parse(log.substr(begin), true, handler) != log.size() - begin) std::abort();
  return handler.hash;
}

/// The prefix is searched in what a block shows, so stderr need not be equal in small blocks.
inline void fuzz_log(LogFormat format, const uint8_t* data, size_t size) {
  const std::string_view log(reinterpret_cast<const char*>(data), size);
  const uint64_t whole = parse_all(format, log, SIZE_MAX);
  const uint64_t pieces = parse_all(format, log, 257);
  if (format != LogFormat::kStderr && whole != pieces) std::abort();
}

}  // namespace ectoscope
