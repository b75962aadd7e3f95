// Whose settings a statement or a trace is judged with.
#pragma once

#include <map>
#include <utility>
#include <vector>

#include "config/config.h"
#include "core/execution.h"
#include "core/routes.h"
#include "parsers/stream_table.h"

namespace ectoscope {

/// Threads: one at a time.  All that it is made with must outlive it.
class OverrideSelector {
 public:
  OverrideSelector(const std::vector<OverrideConfig>& overrides, const StreamTable& streams,
                   const Routes& routes)
      : overrides_(overrides), streams_(streams), routes_(routes) {}

  /// 0: none fits; else the number of the first that does, from 1.
  size_t number_of(StreamId stream, uint32_t route) {
    return overrides_.empty() ? 0 : look_up(stream, route);
  }

 private:
  size_t look_up(StreamId stream, uint32_t route);

  const std::vector<OverrideConfig>& overrides_;
  const StreamTable& streams_;
  const Routes& routes_;
  std::map<std::pair<StreamId, uint32_t>, size_t> known_;  // emptied when it is full
};

}  // namespace ectoscope
