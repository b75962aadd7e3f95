// What needs no server; tests/daemon/real_server_test.cpp has the rest.
#include "platform/postgres.h"

#include <arpa/inet.h>
#include <chrono>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include <gmock/gmock.h>

namespace ectoscope {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;
using Reason = DatabaseError::Reason;

/// The kernel takes connections for it, and nobody answers: a host that is frozen.
class SilentServer {
 public:
  SilentServer() : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const at = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(socket_, at, size), 0);
    EXPECT_EQ(::listen(socket_, 8), 0);
    EXPECT_EQ(::getsockname(socket_, at, &size), 0);
    port_ = ntohs(address.sin_port);
  }
  SilentServer(const SilentServer&) = delete;
  SilentServer& operator=(const SilentServer&) = delete;
  ~SilentServer() { ::close(socket_); }

  [[nodiscard]] std::string dsn() const {
    return "host=127.0.0.1 user=e dbname=d password=hunter2 port=" + std::to_string(port_);
  }

 private:
  int socket_;
  int port_ = 0;
};

TEST(Postgres, ConnectingEndsAtItsTimeout) {
  const SilentServer server;
  PostgresSettings settings;
  settings.dsn = server.dsn();
  settings.connect_timeout = 20ms;
  const auto database = make_postgres(settings);
  const auto begun = database->begin();
  EXPECT_FALSE(begun.transaction);
  EXPECT_EQ(begun.error.reason, Reason::kUnreachable);
  EXPECT_THAT(begun.error.message, HasSubstr("no answer within connect_timeout"));
  EXPECT_THAT(begun.error.message, Not(HasSubstr("hunter2")));
}

TEST(Postgres, ConnectingIsInterrupted) {
  const SilentServer server;
  PostgresSettings settings;
  settings.dsn = server.dsn();
  settings.connect_timeout = 10min;
  const auto database = make_postgres(settings);
  const std::jthread other([&database] {
    std::this_thread::sleep_for(10ms);
    database->interrupt();
  });
  EXPECT_THAT(database->begin().error.message, HasSubstr("interrupted"));
}

TEST(Postgres, ABadDsnIsTheFirstTransactionsError) {
  PostgresSettings settings;
  settings.dsn = "host=db password=hunter2 secret";
  const auto begun = make_postgres(settings)->begin();
  EXPECT_FALSE(begun.transaction);
  EXPECT_EQ(begun.error.reason, Reason::kConfiguration);
  EXPECT_THAT(begun.error.message, Not(HasSubstr("hunter2")));
}

}  // namespace
}  // namespace ectoscope
