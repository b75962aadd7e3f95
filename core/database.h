// PostgreSQL as a client sees it: one of the four seams.
//
// All that is asked of a server is read: every statement runs in a read-only transaction with
// timeouts, one statement at a time.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace ectoscope {

struct DatabaseError {
  enum class Reason {
    kConfiguration,   // the DSN or a file that it names can't be used
    kUnreachable,     // nobody answers, or the server takes no connections now
    kAuthentication,  // the role, its password, its certificate or the database was refused
    kLost,            // the connection broke
    kTimeout,         // the server's or ours
    kPrivilege,       // the role may not
    kMissing,         // no such table, function or extension
    kOther,
  };

  Reason reason = Reason::kOther;
  std::string message;   // one line for a person, without a password: what happened and what to do
  std::string sqlstate;  // empty when the server did not say
};

/// A row's fields as text, NULL as nullopt.  Valid for the call that it is given to.
using DatabaseRow = std::span<const std::optional<std::string_view>>;
using DatabaseRowHandler = std::function<void(DatabaseRow row)>;

/// After an error only the destructor is of use, which ends the transaction.
class ReadTransaction {
 public:
  virtual ~ReadTransaction() = default;

  /// Runs one statement; its rows are in memory together.  nullopt: it ended well.
  virtual std::optional<DatabaseError> run(std::string_view sql,
                                           std::span<const std::string> parameters,
                                           const DatabaseRowHandler& on_row) = 0;

  /// The same for a SELECT with many rows and no parameters: few are in memory at a time.  What was
  /// handed over before an error counts for nothing.
  virtual std::optional<DatabaseError> stream(std::string_view select,
                                              const DatabaseRowHandler& on_row) = 0;

  std::optional<DatabaseError> run(std::string_view sql) {
    return run(sql, {}, [](DatabaseRow) {});
  }
};

/// One server, and at most one connection to it.
///
/// Threads: one at a time, but for interrupt().
class Database {
 public:
  struct Begun {
    std::unique_ptr<ReadTransaction> transaction;  // null: see error
    DatabaseError error;
  };

  virtual ~Database() = default;

  /// Connects where there is no connection.  One that broke meanwhile is an error here or at the
  /// first statement, and the next begin() connects anew.  One transaction at a time; it must not
  /// outlive the Database.
  virtual Begun begin() = 0;

  /// Gives the connection back to the server; begin() makes a new one.
  virtual void disconnect() = 0;

  /// What runs now and all that comes later ends in kLost, soon.  Threads: any.
  virtual void interrupt() = 0;

  /// "ectoscope@db1:5432/shop", for messages.
  [[nodiscard]] virtual std::string name() const = 0;
};

}  // namespace ectoscope
