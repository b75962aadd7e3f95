// Whose settings a statement or a trace is judged with.
#pragma once

#include <cstdint>
#include <map>
#include <string>
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
  /// The same, and from now on number_of_sample() of its shape.
  size_t number_of(const Execution& execution);

  /// Of what pg_stat_statements counted of a shape, which names no application: as the log's latest
  /// execution of it; of one that the log has not shown, the first that names nothing but
  /// databases.
  [[nodiscard]] size_t number_of_sample(QueryId query, const std::string& database) const;

 private:
  size_t look_up(StreamId stream, uint32_t route);

  const std::vector<OverrideConfig>& overrides_;
  const StreamTable& streams_;
  const Routes& routes_;
  std::map<std::pair<StreamId, uint32_t>, size_t> known_;  // emptied when it is full
  std::vector<uint32_t> of_shapes_;                        // by QueryId, plus 1; 0: not seen
};

}  // namespace ectoscope
