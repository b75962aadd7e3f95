// What is known of alerts at one moment: what metrics and the API show of them.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace ectoscope {

/// By name; none is empty.  They are what tells one alert from another.
using AlertLabels = std::map<std::string, std::string>;

/// One Alertmanager that is told of alerts.  Its counts are of alerts, since the process began.
struct AlertmanagerState {
  std::string url;
  bool up = true;       // the last attempt succeeded, or there was none yet
  std::string problem;  // why not, and what to do; empty while it is up
  uint64_t queued = 0;
  uint64_t sent = 0;
  uint64_t failed = 0;                      // in attempts that failed; most are tried again
  std::map<std::string, uint64_t> dropped;  // never sent, by reason
};

/// Never changes once it is published.
struct AlertingState {
  std::vector<std::shared_ptr<const AlertLabels>> firing;  // those that fire the longest first
  std::vector<AlertmanagerState> alertmanagers;            // in the order of the configuration
};

}  // namespace ectoscope
