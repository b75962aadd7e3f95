// Polls of pg_stat_statements for the detectors' tests.
#pragma once

#include <functional>
#include <vector>

#include "core/statement_sample.h"
#include "trace_builder.h"

namespace ectoscope {

/// One poll of one database, half a minute long.
class PollBuilder {
 public:
  explicit PollBuilder(int64_t number, uint32_t database = 5)
      : number_(number), database_(database) {}

  PollBuilder& ran(QueryId query, uint64_t calls, Micros mean, uint64_t rows = 0) {
    StatementSample sample;
    sample.query = query;
    sample.database = database_;
    sample.queryid = static_cast<int64_t>(query) * 1000;
    sample.from = EventTime(std::chrono::seconds(30 * number_));
    sample.to = EventTime(std::chrono::seconds(30 * (number_ + 1)));
    sample.calls = calls;
    sample.rows = rows;
    sample.total_time = mean * static_cast<int64_t>(calls);
    samples_.push_back(sample);
    return *this;
  }
  /// What the server's log shows.
  PollBuilder& log(InputFidelity::Statements shows) {
    for (StatementSample& sample : samples_)
      sample.log = shows;
    return *this;
  }

  [[nodiscard]] const std::vector<StatementSample>& samples() const { return samples_; }

 private:
  int64_t number_;
  uint32_t database_;
  std::vector<StatementSample> samples_;
};

}  // namespace ectoscope
