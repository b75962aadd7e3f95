// What a person asks the daemon, or asks it to do.  Implemented by daemon/, called by the HTTP
// side.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/ignoring.h"
#include "core/result.h"
#include "core/time.h"

namespace ectoscope {

/// What detectors let go lately.
struct NearlyFound {
  std::vector<Miss> misses;        // nearest first, of each kind
  EventTime since;                 // of the earliest
  std::vector<std::string> kinds;  // all that are looked for, by name
};

/// Threads: any.
class Control {
 public:
  virtual ~Control() = default;

  /// Reads the configuration again.  The error says why the old one stays.
  virtual std::optional<std::string> reload() = 0;

  /// False when there is no such finding.
  virtual bool acknowledge(const std::string& finding_id, const std::string& by,
                           const std::string& why) = 0;

  /// From the next snapshots on it is no finding.  False when there is no such one; the error says
  /// why it can't be ignored from here.
  virtual Result<bool> ignore(const std::string& finding_id, const std::string& by,
                              const std::string& why) = 0;
  /// Takes that back.  False when it was not ignored from here.
  virtual Result<bool> hear_again(const std::string& finding_id) = 0;

  /// One step of a finding's history, oldest first.
  struct HistoryHour {
    EventTime hour;
    uint64_t occurrences = 0;
    Micros database_time{0};
  };
  virtual std::vector<HistoryHour> history(const std::string& finding_id) = 0;

  virtual NearlyFound nearly_found() = 0;
};

}  // namespace ectoscope
