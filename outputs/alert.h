// One alert, as Alertmanagers are told of it.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/alerting_state.h"
#include "core/time.h"

namespace ectoscope {

struct Alert {
  std::shared_ptr<const AlertLabels> labels;       // never null
  std::map<std::string, std::string> annotations;  // none is empty
  std::string url;                                 // of the finding's page
  EventTime starts_at;                             // wall clock, as all here
  EventTime ends_at;  // when it ended; while it fires, until when it is taken to go on
};

using Alerts = std::vector<std::shared_ptr<const Alert>>;

}  // namespace ectoscope
