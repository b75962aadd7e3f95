#include "ingest/statement_deltas.h"

namespace ectoscope {

bool StatementCounters::fell_from(const StatementCounters& earlier) const {
  return calls < earlier.calls || rows < earlier.rows || total_us < earlier.total_us ||
         blocks_read < earlier.blocks_read || temp_blocks < earlier.temp_blocks;
}

StatementCounters StatementCounters::since(const StatementCounters& earlier) const {
  return {calls - earlier.calls, rows - earlier.rows, total_us - earlier.total_us,
          blocks_read - earlier.blocks_read, temp_blocks - earlier.temp_blocks};
}

void StatementCounters::add(const StatementCounters& more) {
  calls += more.calls;
  rows += more.rows;
  total_us += more.total_us;
  blocks_read += more.blocks_read;
  temp_blocks += more.temp_blocks;
}

StatementDeltas::Continuity StatementDeltas::continuity(const StatementReading& reading) const {
  const int64_t last = last_->now_us;
  // Who answers now was up, or counting, while the other still answered: it is not the same one.
  if (reading.started_us != last_->started_us && reading.started_us < last) {
    return Continuity::kOtherServer;
  }
  if (reading.reset_us == last_->reset_us) return Continuity::kSame;
  return reading.reset_us.value_or(0) > last ? Continuity::kReset : Continuity::kOtherServer;
}

StatementCounters StatementDeltas::delta_of(const StatementRow& row, const Entry& entry) {
  const bool began_anew = row.since_us > last_->now_us || row.counters.fell_from(entry.counters);
  if (!began_anew) return row.counters.since(entry.counters);
  if (entry.counters.calls > 0) ++evictions_;
  return row.counters;
}

void StatementDeltas::apply(const StatementReading& reading, std::span<const StatementRow> rows,
                            const std::function<void(const Delta&)>& each) {
  const Continuity continuity = last_ ? this->continuity(reading) : Continuity::kOtherServer;
  if (continuity == Continuity::kReset) {
    ++resets_;
    // The shapes stay known.
    for (auto& [key, entry] : entries_)
      entry.counters = {};
  }
  if (continuity == Continuity::kOtherServer) entries_.clear();
  // With rows left out, one that is new to us may be old.
  const bool new_is_new =
      continuity != Continuity::kOtherServer && !reading.partial && !last_->partial;
  ++readings_;
  for (const StatementRow& row : rows) {
    const auto [found, fresh] = entries_.try_emplace(row.key);
    Entry& entry = found->second;
    StatementCounters delta;
    if (!fresh) {
      delta = delta_of(row, entry);
    } else if (new_is_new) {
      delta = row.counters;
    }
    entry.counters = row.counters;
    entry.reading = readings_;
    if (delta.calls > 0) each({row.key, delta, &entry.query});
  }
  forget_evicted(reading.partial);
  last_ = reading;
}

void StatementDeltas::forget_evicted(bool partial) {
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    if (entry->second.reading == readings_) {
      ++entry;
    } else {
      if (!partial) ++evictions_;
      entry = entries_.erase(entry);
    }
  }
}

}  // namespace ectoscope
