#include "platform/postgres.h"

#include <functional>
#include <utility>
#include <vector>

#include <pqxx/except>
#include <pqxx/nontransaction>
#include <pqxx/result>

#include "platform/postgres_connection.h"
#include "platform/postgres_dsn.h"
#include "platform/postgres_text.h"
#include "platform/socket_guard.h"

namespace ectoscope {
namespace {

using Clock = SocketGuard::Clock;
using Reason = DatabaseError::Reason;

/// Over the server's own timeout, for the answer to come through.
constexpr std::chrono::milliseconds kGrace{2'000};
// A thousand rows are in memory at a time; libpqxx has no single-row mode.
constexpr pqxx::result::size_type kFetched = 1'000;

/// Not one of libpqxx's transactions: those send from their destructors, where no deadline stands.
struct Session {
  Session(const ConnectOptions& options, SocketGuard& guard, std::chrono::milliseconds timeout)
      : connection(options, guard, timeout) {}

  PostgresConnection connection;
  pqxx::nontransaction statements{connection};
};

class Postgres final : public Database {
 public:
  explicit Postgres(PostgresSettings settings) : settings_(std::move(settings)) {
    auto options = read_dsn(settings_.dsn);
    if (options.ok()) {
      options_ = std::move(options).value();
      complete_options(settings_.database, options_);
    } else {
      bad_dsn_ = options.error().message;
    }
  }

  Begun begin() override;
  void disconnect() override { session_.reset(); }
  void interrupt() override { guard_.interrupt(); }
  [[nodiscard]] std::string name() const override;

 private:
  class Transaction;

  std::optional<DatabaseError> connect();
  std::optional<DatabaseError> start_transaction();
  /// One statement: the extended protocol takes no two, whatever the text.
  std::optional<DatabaseError> ask(const std::string& sql, std::span<const std::string> parameters,
                                   Clock::time_point deadline, pqxx::result& rows);
  /// Statements of our own words; one line of the server's log each, where ask() makes three.
  std::optional<DatabaseError> order(const std::string& sql, Clock::time_point deadline,
                                     pqxx::result& rows);
  std::optional<DatabaseError> order(const std::string& sql, Clock::time_point deadline) {
    pqxx::result none;
    return order(sql, deadline, none);
  }
  /// What libpqxx does in `work` ends at the deadline.
  std::optional<DatabaseError> guarded(Clock::time_point deadline,
                                       const std::function<void(pqxx::nontransaction&)>& work);
  DatabaseError refused(const std::string& sqlstate, std::string_view message) const;
  DatabaseError lost(SocketGuard::Ended ended);
  [[nodiscard]] std::string password() const { return value_of(options_, "password"); }
  [[nodiscard]] Clock::time_point statement_deadline() const {
    return Clock::now() + settings_.statement_timeout + kGrace;
  }

  PostgresSettings settings_;
  ConnectOptions options_;
  std::string bad_dsn_;
  SocketGuard guard_;
  std::unique_ptr<Session> session_;
};

class Postgres::Transaction final : public ReadTransaction {
 public:
  explicit Transaction(Postgres& database) : database_(database) {}
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction() override {
    // Nothing was changed, so there is nothing to commit.
    if (database_.order("ROLLBACK", database_.statement_deadline())) database_.disconnect();
  }

  std::optional<DatabaseError> run(std::string_view sql, std::span<const std::string> parameters,
                                   const DatabaseRowHandler& on_row) override;
  std::optional<DatabaseError> stream(std::string_view select,
                                      const DatabaseRowHandler& on_row) override;

 private:
  void hand_over(const pqxx::result& rows, const DatabaseRowHandler& on_row);

  Postgres& database_;
  std::vector<std::optional<std::string_view>> fields_;
};

std::string Postgres::name() const {
  return bad_dsn_.empty() ? describe_server(options_) : "the server";
}

std::optional<DatabaseError> Postgres::connect() {
  try {
    session_ = std::make_unique<Session>(options_, guard_, settings_.connect_timeout);
    return std::nullopt;
  } catch (const std::exception& error) {
    return connect_error(name(), error.what(), password());
  }
}

Database::Begun Postgres::begin() {
  if (!bad_dsn_.empty()) return {nullptr, {Reason::kConfiguration, bad_dsn_, ""}};
  if (!session_) {
    if (auto error = connect()) return {nullptr, std::move(*error)};
  } else if (session_->connection.closed_by_server()) {
    return {nullptr, lost(SocketGuard::Ended::kNot)};
  }
  if (auto error = start_transaction()) {
    disconnect();
    return {nullptr, std::move(*error)};
  }
  return {std::make_unique<Transaction>(*this), {}};
}

std::optional<DatabaseError> Postgres::start_transaction() {
  const auto ms = [](std::chrono::milliseconds time) { return std::to_string(time.count()); };
  // SET LOCAL, so that through a pooler no application inherits them.  A cursor's plan would be for
  // its first rows, and all are fetched.
  return order("BEGIN READ ONLY; SET LOCAL statement_timeout = " + ms(settings_.statement_timeout) +
                   "; SET LOCAL lock_timeout = " + ms(settings_.lock_timeout) +
                   "; SET LOCAL idle_in_transaction_session_timeout = " +
                   ms(2 * settings_.statement_timeout) +
                   "; SET LOCAL DateStyle = ISO; SET LOCAL cursor_tuple_fraction = 1",
               statement_deadline());
}

std::optional<DatabaseError> Postgres::ask(const std::string& sql,
                                           std::span<const std::string> parameters,
                                           Clock::time_point deadline, pqxx::result& rows) {
  return guarded(deadline, [&](pqxx::nontransaction& statements) {
    rows = statements.exec_params(
        sql, pqxx::prepare::make_dynamic_params(parameters.begin(), parameters.end()));
  });
}

std::optional<DatabaseError> Postgres::order(const std::string& sql, Clock::time_point deadline,
                                             pqxx::result& rows) {
  return guarded(deadline, [&](pqxx::nontransaction& statements) { rows = statements.exec(sql); });
}

std::optional<DatabaseError> Postgres::guarded(
    Clock::time_point deadline, const std::function<void(pqxx::nontransaction&)>& work) {
  if (!session_) return DatabaseError{Reason::kLost, name() + ": the connection is closed", ""};
  std::optional<DatabaseError> error;
  guard_.watch(session_->connection.sock(), deadline);
  try {
    work(session_->statements);
  } catch (const pqxx::insufficient_privilege& said) {  // libpqxx forgets its code
    error = refused("42501", said.what());
  } catch (const pqxx::sql_error& said) {
    error = refused(said.sqlstate(), said.what());
  } catch (const std::exception& said) {
    error = refused("", said.what());
    error->reason = Reason::kOther;
  }
  const SocketGuard::Ended ended = guard_.release();
  if (ended != SocketGuard::Ended::kNot || !session_->connection.is_open()) return lost(ended);
  return error;
}

DatabaseError Postgres::refused(const std::string& sqlstate, std::string_view message) const {
  return {reason_of(sqlstate), name() + ": " + one_line(primary_message(message), password()),
          sqlstate};
}

/// The connection is of no use any more.
DatabaseError Postgres::lost(SocketGuard::Ended ended) {
  DatabaseError error{Reason::kLost, name() + ": ", ""};
  switch (ended) {
    case SocketGuard::Ended::kInterrupted:
      error.message += "interrupted";
      break;
    case SocketGuard::Ended::kTimeout:
      error.reason = Reason::kTimeout;
      error.message += "no answer in time; the connection was closed";
      break;
    case SocketGuard::Ended::kNot: {
      const std::string why = one_line(session_->connection.last_error(), password());
      error.message +=
          "the connection broke" + (why.empty() ? why : ": " + why) + "; it is tried again";
      break;
    }
  }
  disconnect();
  return error;
}

std::optional<DatabaseError> Postgres::Transaction::run(std::string_view sql,
                                                        std::span<const std::string> parameters,
                                                        const DatabaseRowHandler& on_row) {
  pqxx::result rows;
  const auto deadline = database_.statement_deadline();
  if (auto error = database_.ask(std::string(sql), parameters, deadline, rows)) return error;
  hand_over(rows, on_row);
  return std::nullopt;
}

std::optional<DatabaseError> Postgres::Transaction::stream(std::string_view select,
                                                           const DatabaseRowHandler& on_row) {
  const auto deadline = database_.statement_deadline();
  const std::string declare = "DECLARE ectoscope NO SCROLL CURSOR FOR " + std::string(select);
  const std::string fetch = "FETCH " + std::to_string(kFetched) + " FROM ectoscope";
  pqxx::result rows;
  if (auto error = database_.ask(declare, {}, deadline, rows)) return error;
  do {
    if (auto error = database_.order(fetch, deadline, rows)) return error;
    hand_over(rows, on_row);
  } while (rows.size() == kFetched);
  return database_.order("CLOSE ectoscope", deadline);
}

/// By libpqxx's iterators, which are rows and fields themselves: what they point to is a copy that
/// shares the whole result.
void Postgres::Transaction::hand_over(const pqxx::result& rows, const DatabaseRowHandler& on_row) {
  const auto end = rows.end();
  for (auto row = rows.begin(); row != end; ++row) {
    fields_.clear();
    const auto last = row->end();
    for (auto field = row->begin(); field != last; ++field) {
      if (field->is_null()) {
        fields_.emplace_back(std::nullopt);
      } else {
        fields_.emplace_back(std::string_view(field->c_str(), field->size()));
      }
    }
    on_row(fields_);
  }
}

}  // namespace

std::unique_ptr<Database> make_postgres(PostgresSettings settings) {
  return std::make_unique<Postgres>(std::move(settings));
}

}  // namespace ectoscope
