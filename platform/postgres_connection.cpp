#include "platform/postgres_connection.h"

#include <memory>
#include <new>
#include <poll.h>
#include <vector>

#include <libpq-fe.h>
#include <pqxx/except>

namespace ectoscope {
namespace {

struct Finish {
  void operator()(PGconn* connection) const { PQfinish(connection); }
};
using ConnectionHandle = std::unique_ptr<PGconn, Finish>;

ConnectionHandle start(const ConnectOptions& options) {
  std::vector<const char*> keys;
  std::vector<const char*> values;
  for (const auto& [key, value] : options) {
    keys.push_back(key.c_str());
    values.push_back(value.c_str());
  }
  keys.push_back(nullptr);
  values.push_back(nullptr);
  ConnectionHandle connection(PQconnectStartParams(keys.data(), values.data(), 0));
  if (!connection) throw std::bad_alloc();
  return connection;
}

/// libpqxx would block in it.
ConnectionHandle connect(const ConnectOptions& options, SocketGuard& guard,
                         std::chrono::milliseconds timeout) {
  const auto deadline = SocketGuard::Clock::now() + timeout;
  ConnectionHandle connection = start(options);
  PostgresPollingStatusType status = PGRES_POLLING_WRITING;
  if (PQstatus(connection.get()) == CONNECTION_BAD) status = PGRES_POLLING_FAILED;
  while (status != PGRES_POLLING_OK) {
    if (status == PGRES_POLLING_FAILED) {
      throw pqxx::broken_connection(PQerrorMessage(connection.get()));
    }
    const short events = status == PGRES_POLLING_READING ? POLLIN : POLLOUT;
    switch (guard.wait(PQsocket(connection.get()), events, deadline)) {
      case SocketGuard::Ended::kNot:
        break;
      case SocketGuard::Ended::kTimeout:
        throw pqxx::broken_connection("no answer within connect_timeout");
      case SocketGuard::Ended::kInterrupted:
        throw pqxx::broken_connection("interrupted");
    }
    status = PQconnectPoll(connection.get());
  }
  return connection;
}

}  // namespace

PostgresConnection::PostgresConnection(const ConnectOptions& options, SocketGuard& guard,
                                       std::chrono::milliseconds timeout)
    : connection_base(connector_), connector_(options, guard, timeout) {
  try {
    init();
  } catch (...) {
    close();
    throw;
  }
}

bool PostgresConnection::closed_by_server() const {
  pollfd watched = {sock(), POLLRDHUP, 0};
  return ::poll(&watched, 1, 0) != 0;
}

PostgresConnection::Connector::Connector(const ConnectOptions& options, SocketGuard& guard,
                                         std::chrono::milliseconds timeout)
    : connectionpolicy({}), made_(connect(options, guard, timeout).release()) {}

pqxx::connectionpolicy::handle PostgresConnection::Connector::do_startconnect(handle /*taken*/) {
  if (made_ == nullptr) throw pqxx::broken_connection("the connection is closed");
  return made_;
}

pqxx::connectionpolicy::handle PostgresConnection::Connector::do_disconnect(handle taken) noexcept {
  made_ = nullptr;
  return connectionpolicy::do_disconnect(taken);
}

std::string PostgresConnection::Connector::last_error() const {
  return made_ == nullptr ? std::string() : PQerrorMessage(made_);
}

}  // namespace ectoscope
