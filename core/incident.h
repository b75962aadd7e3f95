// What one message of the log tells of an error, a wait, a spill or a connection: a small value,
// without text but names.  No value of the application's is in it.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

#include "core/execution.h"

namespace ectoscope {

enum class IncidentKind : uint8_t {
  kLockWait,      // still waiting after deadlock_timeout; `waited` is the whole wait
  kLockAcquired,  // the end of such a wait
  kLockTimeout,   // gave up waiting: lock_timeout
  kDeadlock,      // of the side that was cancelled
  kSerializationFailure,
  kStatementTimeout,    // statement_timeout, or a cancel of which the log does not say whose
  kTransactionTimeout,  // transaction_timeout, PostgreSQL 17
  kClientCancel,        // the client gave up: DBConnection's :timeout
  kIdleTimeout,         // idle_in_transaction_session_timeout ended the session
  kUniqueViolation,
  kForeignKeyViolation,
  kNotNullViolation,
  kCheckViolation,
  kExclusionViolation,
  kOtherViolation,
  kNoSlots,       // too many clients, or too many for a role or database
  kConnected,     // log_connections: authorized
  kDisconnected,  // log_disconnections
  kTempFile,
};

/// The name of a table, a column or a lock mode, as long as PostgreSQL lets names be.
class BoundedName {
 public:
  static constexpr size_t kMax = 63;

  BoundedName() = default;
  explicit BoundedName(std::string_view text) { *this = text; }
  BoundedName& operator=(std::string_view text) {
    length_ = static_cast<uint8_t>(std::min(text.size(), kMax));
    std::copy_n(text.begin(), length_, text_.begin());
    return *this;
  }

  [[nodiscard]] std::string_view view() const { return {text_.data(), length_}; }
  [[nodiscard]] bool empty() const { return length_ == 0; }

 private:
  std::array<char, kMax> text_{};
  uint8_t length_ = 0;
};

/// Who else had part in it: the holder of a lock, the other side of a deadlock.
struct IncidentParty {
  int32_t pid = 0;
  QueryId query = kNoQuery;  // of a holder: what it ran last that could have taken the lock
  TraceId trace_id;
};

struct Incident {
  static constexpr size_t kMaxOthers = 4;

  IncidentKind kind = IncidentKind::kOtherViolation;
  uint64_t position = 0;     // where its record begins in the source: LogRecord::offset
  EventTime at;              // the message's stamp; of a lock wait that ended: of its end
  EventTime started_at;      // of its statement, where the log tells; else `at`
  Micros waited{0};          // of lock waits
  QueryId query = kNoQuery;  // of the STATEMENT; kNoQuery: none was logged
  TraceId trace_id;
  StreamId stream = 0;
  uint32_t route = 0;
  int32_t pid = 0;
  uint64_t session = 0;      // as in Execution
  uint64_t transaction = 0;  // as in Execution
  uint64_t temp_bytes = 0;
  bool of_worker = false;  // a parallel worker's: the log names neither user nor database
  std::array<char, 5> sqlstate{};
  BoundedName lock_mode;  // "ShareLock"
  BoundedName table;      // of the constraint, or the table whose row or self is locked
  BoundedName constraint;
  BoundedName columns;                             // "user_id, slug"
  std::array<IncidentParty, kMaxOthers> others{};  // the first `others_count` are set
  uint8_t others_count = 0;

  void add_other(const IncidentParty& party) {
    if (others_count < kMaxOthers) others[others_count++] = party;
  }
};

}  // namespace ectoscope
