// One SQL statement of SQLite: bound, stepped through, and finalized when it goes.
#pragma once

#include <cstdint>
#include <sqlite3.h>
#include <string>
#include <string_view>

namespace ectoscope {

/// A step did not succeed; the handle knows why.
struct SqliteFailed {};

/// Throws SqliteFailed.  Threads: those of its handle, which must outlive it.
class SqliteStatement {
 public:
  SqliteStatement(sqlite3* handle, const char* sql) {
    const int code = sqlite3_prepare_v2(handle, sql, -1, &statement_, nullptr);
    if (code != SQLITE_OK) throw SqliteFailed{};
  }
  SqliteStatement(const SqliteStatement&) = delete;
  SqliteStatement& operator=(const SqliteStatement&) = delete;
  ~SqliteStatement() { sqlite3_finalize(statement_); }

  SqliteStatement& bind(std::string_view text) {
    sqlite3_bind_text(statement_, ++bound_, text.data(), static_cast<int>(text.size()),
                      SQLITE_TRANSIENT);
    return *this;
  }
  SqliteStatement& bind_blob(std::string_view bytes) {
    sqlite3_bind_blob(statement_, ++bound_, bytes.data() == nullptr ? "" : bytes.data(),
                      static_cast<int>(bytes.size()), SQLITE_TRANSIENT);
    return *this;
  }
  SqliteStatement& bind(int64_t number) {
    sqlite3_bind_int64(statement_, ++bound_, number);
    return *this;
  }
  SqliteStatement& bind(uint64_t number) { return bind(static_cast<int64_t>(number)); }

  /// True: a row is there.
  bool step() {
    const int code = sqlite3_step(statement_);
    if (code != SQLITE_ROW && code != SQLITE_DONE) throw SqliteFailed{};
    return code == SQLITE_ROW;
  }
  /// Runs it, and makes it ready to be bound again.
  void run() {
    step();
    sqlite3_reset(statement_);
    bound_ = 0;
  }

  [[nodiscard]] std::string text(int column) const {
    const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_, column));
    const auto size = static_cast<size_t>(sqlite3_column_bytes(statement_, column));
    return bytes == nullptr ? std::string() : std::string(bytes, size);
  }
  [[nodiscard]] int64_t integer(int column) const {
    return sqlite3_column_int64(statement_, column);
  }

 private:
  sqlite3_stmt* statement_ = nullptr;
  int bound_ = 0;
};

}  // namespace ectoscope
