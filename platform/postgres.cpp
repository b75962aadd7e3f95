#include "platform/postgres.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <utility>
#include <variant>
#include <vector>

#include <libpq-fe.h>

#include "platform/postgres_dsn.h"
#include "platform/postgres_text.h"

namespace ectoscope {
namespace {

using Clock = std::chrono::steady_clock;
using Reason = DatabaseError::Reason;

struct Finish {
  void operator()(PGconn* connection) const { PQfinish(connection); }
};
struct Clear {
  void operator()(PGresult* result) const { PQclear(result); }
};
struct FreeMemory {
  void operator()(char* memory) const { PQfreemem(memory); }
};
using ConnectionHandle = std::unique_ptr<PGconn, Finish>;
using ResultHandle = std::unique_ptr<PGresult, Clear>;

/// Over the server's own timeout, for the answer to come through.
constexpr std::chrono::milliseconds kGrace{2'000};

class Postgres final : public Database {
 public:
  explicit Postgres(PostgresSettings settings)
      : settings_(std::move(settings)), wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    auto options = read_dsn(settings_.dsn);
    if (options.ok()) {
      options_ = std::move(options).value();
      complete_options(settings_.database, options_);
    } else {
      bad_dsn_ = options.error().message;
    }
  }
  Postgres(const Postgres&) = delete;
  Postgres& operator=(const Postgres&) = delete;
  ~Postgres() override {
    disconnect();
    if (wake_ >= 0) ::close(wake_);
  }

  Begun begin() override;
  void disconnect() override { connection_.reset(); }
  void interrupt() override {
    interrupted_ = true;
    const uint64_t one = 1;
    // The counter only has to be non-zero; it can't overflow before poll() sees it.
    [[maybe_unused]] const ssize_t written = ::write(wake_, &one, sizeof one);
  }
  [[nodiscard]] std::string name() const override;

 private:
  class Transaction;
  enum class Waited { kReady, kTimeout, kInterrupted };

  std::optional<DatabaseError> connect();
  std::optional<DatabaseError> execute(const std::string& statements);
  [[nodiscard]] Waited wait(short events, Clock::time_point deadline) const;
  std::optional<DatabaseError> flush(Clock::time_point deadline);
  /// Null at the statement's end.
  std::variant<ResultHandle, DatabaseError> next_result(Clock::time_point deadline);
  std::optional<DatabaseError> drain(Clock::time_point deadline);
  DatabaseError lost(Waited waited);
  DatabaseError error_of(const PGresult* result);
  [[nodiscard]] std::string password() const { return value_of(options_, "password"); }
  [[nodiscard]] Clock::time_point statement_deadline() const {
    return Clock::now() + settings_.statement_timeout + kGrace;
  }

  PostgresSettings settings_;
  ConnectOptions options_;
  std::string bad_dsn_;
  ConnectionHandle connection_;
  int wake_;
  std::atomic<bool> interrupted_{false};
};

class Postgres::Transaction final : public ReadTransaction {
 public:
  explicit Transaction(Postgres& database) : database_(database) {}
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction() override {
    // Nothing was changed, so there is nothing to commit.
    if (database_.connection_ && database_.execute("ROLLBACK")) database_.disconnect();
  }

  std::optional<DatabaseError> run(std::string_view sql, std::span<const std::string> parameters,
                                   const DatabaseRowHandler& on_row) override;
  std::optional<DatabaseError> stream(std::string_view select,
                                      const DatabaseRowHandler& on_row) override;

 private:
  std::optional<DatabaseError> send(const std::string& sql, std::span<const std::string> parameters,
                                    Clock::time_point deadline);

  Postgres& database_;
  CopyRow copy_row_;
};

std::string Postgres::name() const {
  return bad_dsn_.empty() ? describe_server(options_) : "the server";
}

Postgres::Waited Postgres::wait(short events, Clock::time_point deadline) const {
  std::array<pollfd, 2> watched = {{{PQsocket(connection_.get()), events, 0}, {wake_, POLLIN, 0}}};
  for (;;) {
    if (interrupted_) return Waited::kInterrupted;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    if (left.count() <= 0) return Waited::kTimeout;
    const int ready = ::poll(watched.data(), watched.size(), static_cast<int>(left.count()));
    if (ready > 0 && watched[0].revents != 0) return Waited::kReady;
    if (ready < 0 && errno != EINTR) return Waited::kTimeout;
  }
}

std::optional<DatabaseError> Postgres::connect() {
  std::vector<const char*> keys;
  std::vector<const char*> values;
  for (const auto& [key, value] : options_) {
    keys.push_back(key.c_str());
    values.push_back(value.c_str());
  }
  keys.push_back(nullptr);
  values.push_back(nullptr);
  connection_.reset(PQconnectStartParams(keys.data(), values.data(), 0));
  if (!connection_) return DatabaseError{Reason::kOther, "out of memory", ""};
  PQsetNoticeProcessor(
      connection_.get(), [](void*, const char*) {}, nullptr);
  const auto deadline = Clock::now() + settings_.connect_timeout;
  PostgresPollingStatusType status = PGRES_POLLING_WRITING;
  if (PQstatus(connection_.get()) == CONNECTION_BAD) status = PGRES_POLLING_FAILED;
  while (status != PGRES_POLLING_OK) {
    Waited waited = Waited::kReady;
    if (status != PGRES_POLLING_FAILED) {
      waited = wait(status == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline);
    }
    if (status == PGRES_POLLING_FAILED || waited != Waited::kReady) {
      const std::string said = waited == Waited::kReady ? PQerrorMessage(connection_.get())
                                                        : "no answer within connect_timeout";
      const DatabaseError error = connect_error(name(), said, password());
      disconnect();
      return error;
    }
    status = PQconnectPoll(connection_.get());
  }
  PQsetnonblocking(connection_.get(), 1);
  return std::nullopt;
}

Database::Begun Postgres::begin() {
  if (!bad_dsn_.empty()) return {nullptr, {Reason::kConfiguration, bad_dsn_, ""}};
  if (!connection_) {
    if (auto error = connect()) return {nullptr, std::move(*error)};
  }
  const auto ms = [](std::chrono::milliseconds time) { return std::to_string(time.count()); };
  // SET LOCAL, so that through a pooler no application inherits them.
  if (auto error = execute(
          "BEGIN READ ONLY; SET LOCAL statement_timeout = " + ms(settings_.statement_timeout) +
          "; SET LOCAL lock_timeout = " + ms(settings_.lock_timeout) +
          "; SET LOCAL idle_in_transaction_session_timeout = " +
          ms(2 * settings_.statement_timeout) + "; SET LOCAL DateStyle = ISO")) {
    disconnect();
    return {nullptr, std::move(*error)};
  }
  return {std::make_unique<Transaction>(*this), {}};
}

std::optional<DatabaseError> Postgres::execute(const std::string& statements) {
  const auto deadline = statement_deadline();
  if (PQsendQuery(connection_.get(), statements.c_str()) == 0) return lost(Waited::kReady);
  if (auto error = flush(deadline)) return error;
  return drain(deadline);
}

std::optional<DatabaseError> Postgres::flush(Clock::time_point deadline) {
  for (;;) {
    const int left = PQflush(connection_.get());
    if (left == 0) return std::nullopt;
    if (left < 0) return lost(Waited::kReady);
    const Waited waited = wait(POLLIN | POLLOUT, deadline);
    if (waited != Waited::kReady) return lost(waited);
    if (PQconsumeInput(connection_.get()) == 0) return lost(waited);
  }
}

std::variant<ResultHandle, DatabaseError> Postgres::next_result(Clock::time_point deadline) {
  while (PQisBusy(connection_.get()) != 0) {
    const Waited waited = wait(POLLIN, deadline);
    if (waited != Waited::kReady || PQconsumeInput(connection_.get()) == 0) return lost(waited);
  }
  return ResultHandle(PQgetResult(connection_.get()));
}

/// Takes all results of what was sent; the first error is the statement's.
std::optional<DatabaseError> Postgres::drain(Clock::time_point deadline) {
  std::optional<DatabaseError> first;
  for (;;) {
    auto next = next_result(deadline);
    if (auto* error = std::get_if<DatabaseError>(&next)) return std::move(*error);
    const ResultHandle result = std::move(std::get<ResultHandle>(next));
    if (!result) return first;
    if (PQresultStatus(result.get()) == PGRES_FATAL_ERROR && !first) first = error_of(result.get());
  }
}

/// The connection is of no use any more.
DatabaseError Postgres::lost(Waited waited) {
  DatabaseError error{Reason::kLost, name() + ": ", ""};
  if (waited == Waited::kInterrupted) {
    error.message += "interrupted";
  } else if (waited == Waited::kTimeout) {
    error.reason = Reason::kTimeout;
    error.message += "no answer in time; the connection was closed";
  } else {
    error.message +=
        "the connection broke: " + one_line(PQerrorMessage(connection_.get()), password()) +
        "; it is tried again";
  }
  disconnect();
  return error;
}

DatabaseError Postgres::error_of(const PGresult* result) {
  const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const char* primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  DatabaseError error;
  error.sqlstate = state == nullptr ? "" : state;
  error.reason = reason_of(error.sqlstate);
  error.message = name() + ": " +
                  one_line(primary != nullptr ? primary : PQresultErrorMessage(result), password());
  return error;
}

std::optional<DatabaseError> Postgres::Transaction::send(const std::string& sql,
                                                         std::span<const std::string> parameters,
                                                         Clock::time_point deadline) {
  if (!database_.connection_) {
    return DatabaseError{Reason::kLost, database_.name() + ": the connection is closed", ""};
  }
  std::vector<const char*> values;
  values.reserve(parameters.size());
  for (const std::string& parameter : parameters)
    values.push_back(parameter.c_str());
  // The extended protocol takes one statement only, whatever the text.
  if (PQsendQueryParams(database_.connection_.get(), sql.c_str(), static_cast<int>(values.size()),
                        nullptr, values.data(), nullptr, nullptr, 0) == 0) {
    return database_.lost(Waited::kReady);
  }
  return database_.flush(deadline);
}

std::optional<DatabaseError> Postgres::Transaction::run(std::string_view sql,
                                                        std::span<const std::string> parameters,
                                                        const DatabaseRowHandler& on_row) {
  const auto deadline = database_.statement_deadline();
  if (auto error = send(std::string(sql), parameters, deadline)) return error;
  PQsetSingleRowMode(database_.connection_.get());
  std::vector<std::optional<std::string_view>> fields;
  std::optional<DatabaseError> failed;
  for (;;) {
    auto next = database_.next_result(deadline);
    if (auto* error = std::get_if<DatabaseError>(&next)) return std::move(*error);
    const ResultHandle result = std::move(std::get<ResultHandle>(next));
    if (!result) return failed;
    if (PQresultStatus(result.get()) == PGRES_FATAL_ERROR) {
      if (!failed) failed = database_.error_of(result.get());
      continue;
    }
    for (int row = 0; row < PQntuples(result.get()); ++row) {
      fields.clear();
      for (int column = 0; column < PQnfields(result.get()); ++column) {
        if (PQgetisnull(result.get(), row, column) != 0) {
          fields.emplace_back(std::nullopt);
        } else {
          fields.emplace_back(
              std::string_view(PQgetvalue(result.get(), row, column),
                               static_cast<size_t>(PQgetlength(result.get(), row, column))));
        }
      }
      on_row(fields);
    }
  }
}

std::optional<DatabaseError> Postgres::Transaction::stream(std::string_view select,
                                                           const DatabaseRowHandler& on_row) {
  const auto deadline = database_.statement_deadline();
  if (auto error = send("COPY (" + std::string(select) + ") TO STDOUT", {}, deadline)) return error;
  auto first = database_.next_result(deadline);
  if (auto* error = std::get_if<DatabaseError>(&first)) return std::move(*error);
  const ResultHandle copying = std::move(std::get<ResultHandle>(first));
  if (!copying || PQresultStatus(copying.get()) != PGRES_COPY_OUT) {
    DatabaseError error = database_.error_of(copying.get());
    if (auto worse = database_.drain(deadline)) return worse;
    return error;
  }
  for (;;) {
    char* raw = nullptr;
    const int length = PQgetCopyData(database_.connection_.get(), &raw, 1);
    const std::unique_ptr<char, FreeMemory> line(raw);
    if (length > 0) {
      on_row(copy_row_.split({line.get(), static_cast<size_t>(length)}));
    } else if (length == 0) {
      const Waited waited = database_.wait(POLLIN, deadline);
      if (waited != Waited::kReady || PQconsumeInput(database_.connection_.get()) == 0) {
        return database_.lost(waited);
      }
    } else {
      return database_.drain(deadline);  // the end (-1) or an error (-2), which a result tells
    }
  }
}

}  // namespace

std::unique_ptr<Database> make_postgres(PostgresSettings settings) {
  return std::make_unique<Postgres>(std::move(settings));
}

}  // namespace ectoscope
