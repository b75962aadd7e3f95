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
  if (open_.empty() && workers_.empty()) return;
  for (const Execution& execution : executions) {
    Incident files;
    bool any = take_own(execution, files);
    if (!workers_.empty()) any = take_workers(execution, any, files);
    if (!any) continue;
    files.query = execution.query;
    files.started_at = execution.started_at;
    files.at = std::max(files.at, execution.ended_at);
    if (!files.trace_id.known()) files.trace_id = execution.trace_id;
    if (files.route == 0) files.route = execution.route;
    sink_(files);
  }
  if (!executions.empty()) give_out_old(executions.back().ended_at);
}

/// False when it has none; what its backend wrote for another statement is given out.
bool TempFileLinker::take_own(const Execution& execution, Incident& files) {
  const auto found = open_.find(execution.pid);
  if (found == open_.end()) return false;
  files = found->second;
  open_.erase(found);
  if (is_of(files, execution)) return true;
  sink_(files);
  return false;
}

/// Adds those of the statement's workers to its own, if it has `any`.
bool TempFileLinker::take_workers(const Execution& execution, bool any, Incident& files) {
  std::erase_if(workers_, [&](const Incident& one) {
    if (one.query != execution.query || !is_of(one, execution)) return false;
    if (any) {
      files.temp_bytes += one.temp_bytes;
      files.at = std::max(files.at, one.at);
      return true;
    }
    any = true;
    files = one;
    files.of_worker = false;
    files.pid = execution.pid;
    files.session = execution.session;
    files.transaction = execution.transaction;
    files.stream = execution.stream;
    return true;
  });
  return any;
}

void TempFileLinker::add(const Incident& incident) {
  if (incident.pid == 0) {
    sink_(incident);
    return;
  }
  give_out_old(incident.at);
  if (incident.of_worker && incident.query != kNoQuery) {
    if (workers_.size() == kMaxBackends) {
      sink_(workers_.front());
      workers_.erase(workers_.begin());
    }
    workers_.push_back(incident);
    return;
  }
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
  std::erase_if(workers_, [&](const Incident& one) {
    if (now - one.at <= kLongestWait) return false;
    sink_(one);
    return true;
  });
}

void TempFileLinker::finish() {
  for (const auto& [pid, files] : open_)
    sink_(files);
  for (const Incident& files : workers_)
    sink_(files);
  open_.clear();
  workers_.clear();
}

}  // namespace ectoscope
