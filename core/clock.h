// Time outside of the log: one of the four seams.
#pragma once

#include "core/time.h"

namespace ectoscope {

/// Threads: any.
class Clock {
 public:
  virtual ~Clock() = default;

  /// The wall's, as stamps have it.  It may jump.
  [[nodiscard]] virtual EventTime wall() const = 0;
  /// Since some moment; it never goes back.
  [[nodiscard]] virtual Micros steady() const = 0;
};

}  // namespace ectoscope
