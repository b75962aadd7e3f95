// Alerts as Alertmanager's v2 API takes them.
#pragma once

#include <string>

#include "outputs/alert.h"

namespace ectoscope {

inline constexpr const char* kAlertsPath = "/api/v2/alerts";

/// `external_labels` stand on all of them; an alert's own go before.
std::string alerts_json(const Alerts& alerts, const AlertLabels& external_labels);

}  // namespace ectoscope
