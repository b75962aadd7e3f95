#include "daemon/source_progress.h"

#include <algorithm>
#include <utility>

namespace ectoscope {
namespace {

/// So many marks are kept: 64 KiB and more of log each.  What began before them is not got back.
constexpr size_t kMarks = 4096;

bool take_out(std::vector<uint64_t>& sorted, uint64_t position) {
  const auto at = std::lower_bound(sorted.begin(), sorted.end(), position);
  if (at == sorted.end() || *at != position) return false;
  sorted.erase(at);
  return true;
}

void append(const std::vector<uint64_t>& from, std::vector<uint64_t>& to) {
  to.insert(to.end(), from.begin(), from.end());
}

void make_set(std::vector<uint64_t>& positions) {
  std::sort(positions.begin(), positions.end());
  positions.erase(std::unique(positions.begin(), positions.end()), positions.end());
}

}  // namespace

std::vector<ResumePoint> resume_points(const SourceCheckpoint& before) {
  std::vector<ResumePoint> points;
  for (const FileCheckpoint& file : before.files) {
    points.push_back({{file.number, file.identity, file.head_length, file.head_hash, file.read_to,
                       file.cut, file.copy},
                      file.resume_at});
  }
  return points;
}

SourceProgress::SourceProgress(const SourceCheckpoint& before) : pattern_(before.pattern) {
  for (const FileCheckpoint& file : before.files) {
    if (file.resume_at < file.read_to)
      replayed_[file.number] = {file.read_to, file.resume_at, {}, {}, {}};
  }
  list(before.uncounted, &Replay::uncounted);
  list(before.open, &Replay::open);
  list(before.writes, &Replay::writes);
}

void SourceProgress::list(const std::vector<uint64_t>& positions,
                          std::vector<uint64_t> Replay::*list) {
  for (const uint64_t position : positions) {
    const auto replay = replayed_.find(LogPosition::file(position));
    if (replay == replayed_.end()) {
      ++lost_;
    } else {
      (replay->second.*list).push_back(position);
    }
  }
}

uint64_t SourceProgress::Replay::left() const {
  return uncounted.size() + open.size() + writes.size();
}

SourceProgress::Fate SourceProgress::fate_replayed(uint64_t position) {
  const auto found = replayed_.find(LogPosition::file(position));
  if (found == replayed_.end() || LogPosition::offset(position) >= found->second.until) return {};
  Replay& replay = found->second;
  if (take_out(replay.uncounted, position)) return {};
  return {true, {take_out(replay.open, position), take_out(replay.writes, position)}};
}

void SourceProgress::take(const SourceBatch& batch) {
  files_ = batch.files;
  held_ = batch.held;
  oldest_held_ = batch.oldest_held;
  marks_.insert(marks_.end(), batch.marks.begin(), batch.marks.end());
  while (marks_.size() > kMarks)
    marks_.pop_front();
  if (!replayed_.empty()) end_replays(batch);
}

void SourceProgress::end_replays(const SourceBatch& batch) {
  for (auto it = replayed_.begin(); it != replayed_.end();) {
    const auto& [number, replay] = *it;
    const auto file =
        std::find_if(batch.files.begin(), batch.files.end(),
                     [n = number](const FollowedFile& each) { return each.number == n; });
    const bool gone = file == batch.files.end();
    const bool held = std::any_of(held_.begin(), held_.end(), [&](uint64_t position) {
      return LogPosition::file(position) == it->first &&
             LogPosition::offset(position) < it->second.until;
    });
    if (!gone && (file->read_to < replay.until || held)) {
      ++it;
      continue;
    }
    lost_ += replay.left();
    it = replayed_.erase(it);
  }
}

uint64_t SourceProgress::resume_at(const FollowedFile& file, EventTime needed) const {
  // The last mark that all older records are before; from it on, everything is read again.
  auto first = std::partition_point(marks_.begin(), marks_.end(), [needed](const TimeMark& mark) {
    return mark.before < needed;
  });
  if (first != marks_.begin()) --first;
  uint64_t at = file.read_to;
  for (; first != marks_.end(); ++first) {
    if (first->file == file.number) at = std::min(at, first->offset);
  }
  return at;
}

SourceCheckpoint SourceProgress::checkpoint(Unsettled unsettled) const {
  SourceCheckpoint checkpoint;
  checkpoint.pattern = pattern_;
  checkpoint.uncounted = std::move(unsettled.incidents);
  checkpoint.open = std::move(unsettled.open);
  checkpoint.writes = std::move(unsettled.writes);
  for (const FollowedFile& file : files_) {
    FileCheckpoint& is = checkpoint.files.emplace_back(
        FileCheckpoint{file.number, file.identity, file.head_length, file.head_hash, file.read_to,
                       file.read_to, file.cut, file.copy});
    is.resume_at = resume_at(file, unsettled.needed);
    const auto replay = replayed_.find(file.number);
    if (replay == replayed_.end()) continue;
    is.read_to = std::max(is.read_to, replay->second.until);
    is.resume_at = std::min(is.resume_at, replay->second.resume_at);
    append(replay->second.uncounted, checkpoint.uncounted);
    append(replay->second.open, checkpoint.open);
    append(replay->second.writes, checkpoint.writes);
  }
  for (const uint64_t position : held_) {
    const auto replay = replayed_.find(LogPosition::file(position));
    if (replay == replayed_.end() || LogPosition::offset(position) >= replay->second.until)
      checkpoint.uncounted.push_back(position);
  }
  make_set(checkpoint.uncounted);
  make_set(checkpoint.open);
  make_set(checkpoint.writes);
  return checkpoint;
}

}  // namespace ectoscope
