#include "traces/temp_file_linker.h"

#include <algorithm>

namespace ectoscope {
namespace {

/// Files go before their statement's record is written, and after it where a plan is all there is.
constexpr Micros kAfter{1'000'000};
constexpr Micros kStampError{1000};  // stamps have milliseconds

bool is_of(const Incident& files, const Execution& execution) {
  return (files.query == kNoQuery || files.query == execution.query) &&
         execution.started_at <= files.at + kStampError && files.at <= execution.ended_at + kAfter;
}

bool same_statement(const Incident& left, const Incident& right) {
  return left.query == right.query && left.session == right.session &&
         left.transaction == right.transaction;
}

}  // namespace

void TempFileLinker::add(std::span<const Execution> executions) {
  if (open_.empty()) return;
  for (const Execution& execution : executions) {
    const auto found = open_.find(execution.pid);
    if (found == open_.end()) continue;
    Incident files = found->second;
    open_.erase(found);
    if (is_of(files, execution)) {
      files.query = execution.query;
      files.started_at = execution.started_at;
      files.at = std::max(files.at, execution.ended_at);
      if (!files.trace_id.known()) files.trace_id = execution.trace_id;
      if (files.route == 0) files.route = execution.route;
    }
    sink_(files);
  }
  if (!executions.empty()) give_out_old(executions.back().ended_at);
}

void TempFileLinker::add(const Incident& incident) {
  if (incident.pid == 0) {
    sink_(incident);
    return;
  }
  give_out_old(incident.at);
  const auto [entry, is_new] = open_.try_emplace(incident.pid, incident);
  if (is_new) {
    if (open_.size() <= kMaxBackends) return;
    const auto oldest = std::min_element(
        open_.begin(), open_.end(),
        [](const auto& left, const auto& right) { return left.second.at < right.second.at; });
    sink_(oldest->second);
    open_.erase(oldest);
    return;
  }
  Incident& files = entry->second;
  if (same_statement(files, incident)) {
    files.temp_bytes += incident.temp_bytes;
    files.at = incident.at;
    return;
  }
  sink_(files);
  files = incident;
}

void TempFileLinker::give_out_old(EventTime now) {
  for (auto entry = open_.begin(); entry != open_.end();) {
    if (now - entry->second.at <= kLongestWait) {
      ++entry;
      continue;
    }
    sink_(entry->second);
    entry = open_.erase(entry);
  }
}

void TempFileLinker::finish() {
  for (const auto& [pid, files] : open_)
    sink_(files);
  open_.clear();
}

}  // namespace ectoscope
