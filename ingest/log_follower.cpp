// LogFollower's reading; log_follower_scan.cpp has what it does with the directory.
#include "ingest/log_follower.h"

#include <algorithm>
#include <utility>

namespace ectoscope {
namespace {

constexpr size_t kSmallBlock = size_t{64} * 1024;  // of a file that grows by lines
constexpr size_t kPrimer = size_t{256} * 1024;
/// A line without its end is still being written, for a long while if the disk is slow.
constexpr int kPatience = 10;

}  // namespace

LogFollower::LogFollower(LogFiles& files, FollowSettings settings)
    : files_(files), settings_(std::move(settings)) {}

LogFollower::LogFollower(LogFiles& files, FollowSettings settings,
                         const std::vector<ResumePoint>& points)
    : files_(files), settings_(std::move(settings)), resumed_(!points.empty()) {
  for (const ResumePoint& point : points) {
    FollowedFile state = point.file;
    state.read_to = std::min(point.from, state.read_to);
    last_number_ = std::max(last_number_, state.number);
    logs_.emplace_back(state, std::string());
  }
}

bool LogFollower::step(Micros now, FollowConsumer& consumer) {
  if (now >= next_scan_) scan(now);
  read_problem_.clear();
  for (auto log = logs_.begin(); log != logs_.end(); ++log) {
    if (log->is_open() && read(log, now, consumer) == Step::kRead) return true;
  }
  return false;
}

LogFollower::Step LogFollower::read(Position log, Micros now, FollowConsumer& consumer) {
  const auto facts = log->file().facts();
  if (!facts.ok()) {
    read_problem_ = facts.error().message;
    return Step::kNothing;
  }
  const FileFacts& is = facts.value();
  const bool changed = is.size != log->size || is.modified_us != log->modified_us;
  if (is.size < log->fetched() || (changed && !log->same_content())) {
    was_cut(log, now, consumer);
    return Step::kRead;
  }
  if (is.size != log->size) log->grown_at = now;
  log->size = is.size;
  log->modified_us = is.modified_us;
  if (is.size == log->fetched()) return at_end(log, now, consumer);
  log->extend_head();
  prime(*log, consumer);
  return fetch(*log, is.size - log->fetched(), consumer);
}

LogFollower::Step LogFollower::fetch(OpenLog& log, uint64_t available, FollowConsumer& consumer) {
  const size_t wanted = available > kSmallBlock ? settings_.block_bytes : kSmallBlock;
  log.make_block(std::min(wanted, settings_.max_record_bytes));
  Block& block = log.block();
  if (block.room().empty()) {
    if (block.capacity() < settings_.max_record_bytes) {
      block.resize(std::min(block.capacity() * 2, settings_.max_record_bytes));
    } else {
      consumer.skipped(log.state(), block.held());
      log.state().read_to += block.held();
      block.remove(block.held());
    }
  }
  const auto got = log.file().read_at(log.fetched(), block.room());
  if (!got.ok()) {
    read_problem_ = got.error().message;
    return Step::kNothing;
  }
  if (got.value() == 0) return Step::kNothing;
  log.remember_tail({block.room().data(), got.value()});
  block.add(got.value());
  hand_over(log, false, consumer);
  return Step::kRead;
}

void LogFollower::hand_over(OpenLog& log, bool last, FollowConsumer& consumer) {
  Block& block = log.block();
  const size_t used = std::min(consumer.consume(log.state(), block.bytes(), last), block.held());
  block.remove(used);
  log.state().read_to += used;
}

LogFollower::Step LogFollower::at_end(Position log, Micros now, FollowConsumer& consumer) {
  const Micros quiet = now - log->grown_at;
  if (log->fetched() > log->state().read_to) {
    const bool whole = log->block().bytes().ends_with('\n');
    const Micros patience = whole ? settings_.flush_after : settings_.flush_after * kPatience;
    if (quiet < patience && !(whole && succeeded(log))) return Step::kNothing;
    hand_over(*log, true, consumer);
    return Step::kRead;
  }
  log->make_block(kSmallBlock);
  if (replaced(log) && quiet >= settings_.give_up_after) {
    log->close();
    log->dry = true;
  }
  return Step::kNothing;
}

void LogFollower::prime(OpenLog& log, FollowConsumer& consumer) {
  if (std::exchange(primed_, true) || log.state().read_to == 0) return;
  std::string head(std::min<uint64_t>(log.state().read_to, kPrimer), '\0');
  const auto got = log.file().read_at(0, head);
  if (got.ok()) consumer.prime(std::string_view(head).substr(0, got.value()));
}

void LogFollower::was_cut(Position log, Micros now, FollowConsumer& consumer) {
  scan(now);  // a copy may have been made just before
  const Position copy = copy_of(log->state());
  if (copy == logs_.end()) {
    ++losses_;
    if (log->fetched() > log->state().read_to) hand_over(*log, true, consumer);
  }
  const Position anew = logs_.insert(std::next(log), log->begin_anew(next_number()));
  anew->grown_at = now;
  anew->extend_head();
  if (copy != logs_.end()) go_on(log, copy);
}

LogFollower::Position LogFollower::copy_of(const FollowedFile& cut) {
  if (cut.head_length == 0) return logs_.end();
  return std::find_if(logs_.begin(), logs_.end(), [&](const OpenLog& it) {
    if (!it.state().copy) return false;
    if (it.head().size() < cut.head_length)
      return it.state().head_length == cut.head_length && it.state().head_hash == cut.head_hash;
    return fingerprint(it.head().substr(0, cut.head_length)) == cut.head_hash;
  });
}

void LogFollower::go_on(Position log, Position copy) {
  OpenLog found = std::move(*copy);
  logs_.erase(copy);
  log->go_on_in(std::move(found));
  reopen(*log);
}

// Its last record must come before the first of the file that took its place.
bool LogFollower::succeeded(Position log) {
  return std::any_of(std::next(log), logs_.end(), [&](OpenLog& it) {
    if (it.state().copy || !it.is_open() || it.appeared_at < log->grown_at) return false;
    const auto facts = it.file().facts();
    return facts.ok() && facts.value().size > 0;
  });
}

bool LogFollower::replaced(Position log) {
  return std::any_of(std::next(log), logs_.end(),
                     [](const OpenLog& it) { return !it.state().copy; });
}

FollowStatus LogFollower::status() const {
  FollowStatus status;
  status.tried = scanned_;
  status.problem = problem_.empty() ? read_problem_ : problem_;
  for (const OpenLog& log : logs_) {
    if (log.state().copy || log.path().empty()) continue;
    status.path = log.path();
    status.position = log.state().read_to;
    status.size = std::max(log.size, status.position);
    status.behind = status.behind || (log.is_open() && log.size > log.fetched());
  }
  if (status.path.empty()) status.path = settings_.pattern;
  return status;
}

std::vector<FollowedFile> LogFollower::files() const {
  std::vector<FollowedFile> files;
  for (const OpenLog& log : logs_)
    files.push_back(log.state());
  return files;
}

}  // namespace ectoscope
