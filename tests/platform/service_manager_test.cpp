#include "platform/service_manager.h"

#include <cstdlib>
#include <string>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace ectoscope {
namespace {

/// systemd's end of the socket.
class Listener {
 public:
  explicit Listener(const std::string& name) : descriptor_(::socket(AF_UNIX, SOCK_DGRAM, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    name.copy(address.sun_path, sizeof address.sun_path);
    if (name[0] == '@') address.sun_path[0] = '\0';
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    EXPECT_EQ(::bind(descriptor_, reinterpret_cast<sockaddr*>(&address), length), 0);
  }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  ~Listener() { ::close(descriptor_); }

  /// All that has come, a line each.
  std::string heard() const {
    std::string all;
    char message[512];
    for (;;) {
      const ssize_t got = ::recv(descriptor_, message, sizeof message, MSG_DONTWAIT);
      if (got < 0) return all;
      all.append(message, static_cast<size_t>(got)).append("\n");
    }
  }

 private:
  int descriptor_;
};

const std::string kName = "@ectoscope-test-" + std::to_string(::getpid());

TEST(ServiceManager, SaysHowTheServiceIs) {
  const Listener systemd(kName);
  ServiceManager manager(kName, Micros(0));
  manager.ready();
  manager.status("findings: 3\nREADY=0");
  manager.reloading();
  manager.stopping();
  manager.keep_alive(Micros(1));
  EXPECT_EQ(systemd.heard(), "READY=1\nSTATUS=findings: 3\nRELOADING=1\nSTOPPING=1\n");
}

TEST(ServiceManager, IsAliveTwiceInTheTimeItHas) {
  const Listener systemd(kName);
  ServiceManager manager(kName, Micros(1000));
  std::string beats;
  for (const int64_t now : {1, 400, 501, 900, 1001}) {
    manager.keep_alive(Micros(now));
    beats += systemd.heard().empty() ? '-' : '+';
  }
  EXPECT_EQ(beats, "+-+-+");
}

TEST(ServiceManager, ASocketInTheFileSystemWillDoToo) {
  std::string folder = testing::TempDir() + "notifyXXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  const std::string path = folder + "/socket";
  {
    const Listener systemd(path);
    ServiceManager(path, Micros(2)).keep_alive(Micros(1));
    EXPECT_EQ(systemd.heard(), "WATCHDOG=1\n");
  }
  ::unlink(path.c_str());
  ::rmdir(folder.c_str());
}

TEST(ServiceManager, NobodyListening) {
  ServiceManager::from_environment().ready();
  ServiceManager("/nowhere/at/all", Micros(1)).ready();
  ServiceManager(std::string(500, 'x'), Micros(1)).ready();
}

}  // namespace
}  // namespace ectoscope
