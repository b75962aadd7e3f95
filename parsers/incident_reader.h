// From a log record to an incident.
#pragma once

#include <optional>
#include <string>

#include "core/incident.h"
#include "parsers/log_record.h"
#include "parsers/sql_resolver.h"
#include "parsers/stream_table.h"

namespace ectoscope {

/// Threads: one at a time.  What it is given must outlive it.
class IncidentReader {
 public:
  IncidentReader(const SqlResolver& resolver, StreamTable& streams, const std::string& server)
      : resolver_(resolver), streams_(streams), server_(server) {}

  /// Of a record that is not about a run of a statement; nullopt when it tells of no incident.
  /// Session and transaction are the caller's to fill in.
  std::optional<Incident> read(const LogRecord& record);

  /// Takes what a part that came apart from its record (RecordHandler::on_late_part) adds.
  void add_part(const LogRecord& part, Incident& incident);

 private:
  void add_others(std::string_view detail, Incident& incident);
  void add_statement(std::string_view statement, Incident& incident);

  const SqlResolver& resolver_;
  StreamTable& streams_;
  const std::string& server_;
};

/// Whether the record is an ERROR or worse, also where its severity is a word of a language that
/// nobody here knows.
bool is_error(const LogRecord& record);

}  // namespace ectoscope
