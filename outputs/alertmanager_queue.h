// What one Alertmanager is still to be told.
#pragma once

#include <cstdint>
#include <map>
#include <memory>

#include "outputs/alert.h"

namespace ectoscope {

/// In the order of their coming, one entry an alert: its newer state takes the place of the older.
/// At the bound the oldest goes, and counts.  Threads: one at a time.
class AlertQueue {
 public:
  explicit AlertQueue(size_t most) : most_(most) {}

  void put(std::shared_ptr<const Alert> alert);

  /// The first of them, which stay until they are done.
  [[nodiscard]] Alerts batch(size_t most) const;
  /// Takes them out, but for those that have a newer state by now.
  void done(const Alerts& alerts);

  [[nodiscard]] size_t size() const { return alerts_.size(); }
  [[nodiscard]] uint64_t dropped() const { return dropped_; }

 private:
  size_t most_;
  uint64_t next_ = 0;
  uint64_t dropped_ = 0;
  std::map<uint64_t, std::shared_ptr<const Alert>> alerts_;  // by their coming
  std::map<AlertLabels, uint64_t> places_;
};

}  // namespace ectoscope
