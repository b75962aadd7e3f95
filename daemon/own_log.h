// What the daemon says of itself: a line an event on standard error, as logfmt or JSON.
//
// Never a literal: what comes from a PostgreSQL log is not in it but for names of files.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "core/clock.h"

namespace ectoscope {

enum class LogLevel : uint8_t { kDebug, kInfo, kWarn, kError };

/// Threads: any.  One (message, subject) is written once in ten seconds at most; the next line says
/// how many were left out.
class OwnLog {
 public:
  enum class Format : uint8_t { kLogfmt, kJson };
  using Field = std::pair<std::string_view, std::string_view>;

  /// `clock` must outlive it.  `write` takes whole lines.
  OwnLog(const Clock& clock, Format format, LogLevel least,
         std::function<void(std::string_view)> write);

  /// `message` is a fixed text; the first field, where there is one, is the subject.
  void write(LogLevel level, std::string_view message, std::initializer_list<Field> fields = {});

  void info(std::string_view message, std::initializer_list<Field> fields = {}) {
    write(LogLevel::kInfo, message, fields);
  }
  void warn(std::string_view message, std::initializer_list<Field> fields = {}) {
    write(LogLevel::kWarn, message, fields);
  }
  void error(std::string_view message, std::initializer_list<Field> fields = {}) {
    write(LogLevel::kError, message, fields);
  }

 private:
  struct Recent {
    Micros at{0};
    uint64_t left_out = 0;
  };

  [[nodiscard]] std::string line(LogLevel level, std::string_view message,
                                 std::initializer_list<Field> fields, uint64_t left_out) const;

  const Clock& clock_;
  Format format_;
  LogLevel least_;
  std::function<void(std::string_view)> write_;
  std::mutex mutex_;
  std::map<std::string, Recent> recent_;
};

}  // namespace ectoscope
