#include "outputs/alertmanager_queue.h"

#include <utility>

namespace ectoscope {

void AlertQueue::put(std::shared_ptr<const Alert> alert) {
  const auto [place, fresh] = places_.try_emplace(*alert->labels, next_);
  if (fresh) {
    ++next_;
    if (alerts_.size() >= most_) {
      places_.erase(*alerts_.begin()->second->labels);
      alerts_.erase(alerts_.begin());
      ++dropped_;
    }
  }
  alerts_[place->second] = std::move(alert);
}

Alerts AlertQueue::batch(size_t most) const {
  Alerts batch;
  for (const auto& [place, alert] : alerts_) {
    if (batch.size() == most) break;
    batch.push_back(alert);
  }
  return batch;
}

void AlertQueue::done(const Alerts& alerts) {
  for (const auto& alert : alerts) {
    const auto place = places_.find(*alert->labels);
    if (place == places_.end() || alerts_[place->second] != alert) continue;
    alerts_.erase(place->second);
    places_.erase(place);
  }
}

}  // namespace ectoscope
