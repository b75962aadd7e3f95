// Telling systemd how a service is (sd_notify's protocol, which is a datagram of KEY=value lines).
#pragma once

#include <string>
#include <string_view>

#include "core/time.h"

namespace ectoscope {

/// Threads: one at a time.
/// Errors: none are told.  What systemd does not hear it acts upon.
class ServiceManager {
 public:
  /// From the environment: NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID.  Silent where the first
  /// is missing: then nobody asked.
  static ServiceManager from_environment();

  /// `socket` is a path, or one of Linux's abstract names behind an @; empty: nobody listens.
  /// `watchdog` zero: nobody waits for keep_alive().
  ServiceManager(std::string socket, Micros watchdog);

  void ready() const { send("READY=1"); }
  void reloading() const { send("RELOADING=1"); }
  void stopping() const { send("STOPPING=1"); }
  /// One line for `systemctl status`.
  void status(std::string_view line) const;

  /// Call it often: it is sent twice in the time after which systemd would take the service for
  /// dead.
  void keep_alive(Micros now);

 private:
  void send(std::string_view message) const;

  std::string socket_;
  Micros watchdog_;
  Micros next_{0};
};

}  // namespace ectoscope
