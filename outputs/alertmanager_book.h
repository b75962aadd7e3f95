// From findings to alerts: which fire, since when, and when each is to be told again.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/snapshot.h"
#include "outputs/alert.h"

namespace ectoscope {

struct AlertRules {
  Severity least = Severity::kWarning;  // what is less severe alerts nobody
  /// Kinds whose critical findings make critical alerts; those of all others are warnings.
  std::set<std::string> critical;
  Micros resend_interval{60'000'000};
  std::string external_url;  // of our pages, without '/' at its end

  bool operator==(const AlertRules&) const = default;
};

/// An alert fires while its finding is active and live.  Its labels follow from the finding alone,
/// so it is the same alert after a restart, and from a replica.  Should a label change, the old
/// alert ends and another begins.
///
/// Threads: one at a time.
class AlertBook {
 public:
  explicit AlertBook(AlertRules rules) : rules_(std::move(rules)) {}

  void set_rules(AlertRules rules);

  /// What is to be sent now: what began or ended since the last call, and what was sent a
  /// resend_interval ago.  `wall` and `steady` are the clock's.  While the snapshot is not ready
  /// nothing ends for being absent from it.
  Alerts look(const Snapshot& snapshot, EventTime wall, Micros steady);

  /// At the next look all are sent: there is an Alertmanager that knows of none.
  void send_all_again();

  /// The longest first.
  [[nodiscard]] std::vector<std::shared_ptr<const AlertLabels>> firing() const;

 private:
  static constexpr size_t kMostEnded = 10'000;

  struct Firing {
    std::shared_ptr<const TrackedFinding> finding;
    std::shared_ptr<const AlertLabels> labels;
    Severity severity = Severity::kInfo;  // the highest while it fires
    EventTime starts_at;
    Micros sent_at{INT64_MIN};
    bool seen = false;
  };
  struct Ended {
    std::shared_ptr<const Alert> alert;
    Micros ended_at{0};  // steady
    Micros sent_at{INT64_MIN};
  };

  void take(const std::shared_ptr<const TrackedFinding>& tracked, EventTime wall, Micros steady);
  void end(const Firing& firing, EventTime at, Micros steady);
  void end_absent(bool ready, EventTime wall, Micros steady);
  void tell_of_earlier(const Snapshot& snapshot, EventTime wall, Micros steady);
  [[nodiscard]] std::shared_ptr<const AlertLabels> labels_of(const TrackedFinding& tracked,
                                                             Severity severity) const;
  [[nodiscard]] std::shared_ptr<const Alert> alert_of(const Firing& firing,
                                                      EventTime ends_at) const;

  AlertRules rules_;
  bool began_ = false;                    // a ready snapshot was seen
  bool rules_changed_ = false;            // labels are to be made anew
  std::map<std::string, Firing> firing_;  // by the finding's id
  std::map<AlertLabels, Ended> ended_;    // told for a while
};

}  // namespace ectoscope
