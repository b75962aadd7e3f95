// libpqxx's connection, made within a deadline.
#pragma once

#include <chrono>
#include <string>

#include <pqxx/connection_base>
#include <pqxx/connectionpolicy>

#include "platform/postgres_dsn.h"
#include "platform/socket_guard.h"

namespace ectoscope {

/// Connects once; one that broke is not made anew behind its user's back.
class PostgresConnection final : public pqxx::connection_base {
 public:
  /// Throws a std::exception with libpq's words, or with why `guard` ended it.  `guard` must
  /// outlive the call.
  PostgresConnection(const ConnectOptions& options, SocketGuard& guard,
                     std::chrono::milliseconds timeout);
  PostgresConnection(const PostgresConnection&) = delete;
  PostgresConnection& operator=(const PostgresConnection&) = delete;
  ~PostgresConnection() { close(); }

  /// The server has closed it while nothing was asked.
  [[nodiscard]] bool closed_by_server() const;

  /// libpq's words for what failed last.
  [[nodiscard]] std::string last_error() const { return connector_.last_error(); }

 private:
  /// How libpqxx gets its connection: one that is made already.
  class Connector final : public pqxx::connectionpolicy {
   public:
    Connector(const ConnectOptions& options, SocketGuard& guard, std::chrono::milliseconds timeout);
    handle do_startconnect(handle taken) override;
    handle do_disconnect(handle taken) noexcept override;
    [[nodiscard]] std::string last_error() const;

   private:
    handle made_;  // libpqxx closes it; null once it did
  };

  Connector connector_;
};

}  // namespace ectoscope
