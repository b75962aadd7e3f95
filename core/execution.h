// One run of a statement, as the parsers hand it to grouping: small, fixed in size, without text.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <vector>

#include "core/query.h"
#include "core/time.h"

namespace ectoscope {

/// W3C trace id; all zero means none.
struct TraceId {
  uint64_t high = 0;
  uint64_t low = 0;

  [[nodiscard]] bool known() const { return (high | low) != 0; }
  auto operator<=>(const TraceId&) const = default;  // NOLINT(modernize-use-nullptr): mistaken
};

/// 32 lower-case hex digits.
std::string to_hex(const TraceId& id);

/// Numbers a Stream; index into the table that the parser fills.
using StreamId = uint32_t;

/// Who talks to the database: grouping never crosses a stream.  Any text may be empty: not logged.
struct Stream {
  std::string server;
  std::string database;
  std::string user;
  std::string application;
  std::string client_host;  // without the port
};

/// One execution: parse, bind and execute counted once, durations added up.
///
/// Values of parameters are here as keyed hashes, and as an integer where the key is one: evidence
/// for grouping, in memory only, never stored or shown.
struct Execution {
  enum Flags : uint16_t {
    kHasParameters = 1U << 0U,  // the log showed the values (or the text held them all)
    kKeyIsInteger = 1U << 1U,
    kNamed = 1U << 2U,        // a named prepared statement
    kParsedNow = 1U << 3U,    // its parse record stood just before
    kFetch = 1U << 4U,        // `execute fetch from`: one more chunk of a cursor
    kHasPlan = 1U << 5U,      // auto_explain logged this run
    kPlanOnly = 1U << 6U,     // seen through its plan alone
    kSimple = 1U << 7U,       // simple protocol: `statement: ...`
    kFailed = 1U << 8U,       // ended in an error
    kCoarseTime = 1U << 9U,   // the log's stamps are whole seconds
    kNoDuration = 1U << 10U,  // log_statement without durations
    kIgnored = 1U << 11U,     // carries an ectoscope:ignore comment
    kOneElement = 1U << 12U,  // the key is a list, of one element (kKeyIsInteger tells of that one)
  };

  uint64_t position = 0;  // where its last record begins in the source: LogRecord::offset
  EventTime started_at;   // of its first phase: that record's stamp less its duration
  EventTime ended_at;     // stamp of its last record
  Micros duration{0};
  TraceId trace_id;              // from the comment, believed or not: that is grouping's to say
  uint64_t request_tag = 0;      // keyed hash of a request_id tag; 0: none
  uint64_t session = 0;          // hash of pid and session start (of pid alone where not logged)
  uint64_t transaction = 0;      // hash of session and virtual xid; 0: not logged
  uint64_t parameters_hash = 0;  // over all values; 0: not known
  uint64_t key_hash = 0;  // over the values of Query::equal_slots; parameters_hash if it has none
  int64_t key = 0;        // value of Query::key_slot when kKeyIsInteger
  std::array<int64_t, 4> integers{};  // values of slots 1..4 that are integers, see integer_slots
  std::array<uint32_t, 4> values{};   // keyed hashes of the values in slots 1..4; 0: none
  QueryId query = kNoQuery;
  StreamId stream = 0;
  uint32_t route = 0;  // in the parser's Routes; 0: none
  int32_t pid = 0;     // 0: not logged
  int32_t limit = -1;  // value of Query::limit_slot where it is an integer; -1: none
  uint16_t flags = 0;
  uint8_t integer_slots = 0;  // bit i: integers[i] holds the value of slot i + 1

  [[nodiscard]] bool has(Flags flag) const { return (flags & flag) != 0; }
};

}  // namespace ectoscope
