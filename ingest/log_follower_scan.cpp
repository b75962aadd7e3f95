// What LogFollower does with the directory: new files, renamed ones, copies.
#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

#include "ingest/log_follower.h"

namespace ectoscope {
namespace {

constexpr Micros kVanished{3'600'000'000};  // a file that is in no directory for so long is gone
constexpr size_t kMostFiles = 60'000;       // their numbers have 16 bits

bool compressed(std::string_view path) {
  constexpr std::array<std::string_view, 8> kEndings = {".gz",  ".zst", ".xz",  ".bz2",
                                                        ".lz4", ".Z",   ".zip", ".lzma"};
  return std::any_of(kEndings.begin(), kEndings.end(),
                     [path](std::string_view ending) { return path.ends_with(ending); });
}

/// Behind the last whole line, so that reading does not begin inside a record.
uint64_t last_line_end(LogFile& file, uint64_t size) {
  constexpr uint64_t kReach = uint64_t{64} * 1024;
  std::string tail(std::min(size, kReach), '\0');
  const auto got = file.read_at(size - tail.size(), tail);
  if (!got.ok()) return size;
  const size_t newline = std::string_view(tail).substr(0, got.value()).rfind('\n');
  return newline == std::string_view::npos ? size : size - tail.size() + newline + 1;
}

}  // namespace

void LogFollower::scan(Micros now) {
  next_scan_ = now + settings_.scan_every;
  problem_.clear();
  const auto paths = files_.list(settings_.pattern);
  if (!paths.ok()) problem_ = paths.error().message;
  std::vector<Candidate> fresh;
  if (paths.ok()) {
    for (const std::string& path : paths.value()) {
      if (!compressed(path)) take_path(path, now, fresh);
    }
  }
  if (!scanned_ && resumed_) find_elsewhere(now);
  std::stable_sort(fresh.begin(), fresh.end(), [](const Candidate& a, const Candidate& b) {
    return a.facts.modified_us < b.facts.modified_us;
  });
  add(std::move(fresh), !scanned_ && !resumed_ && settings_.from_end, now);
  go_on_in_copies(now);
  forget_vanished(now);
  const bool none =
      std::none_of(logs_.begin(), logs_.end(), [](const OpenLog& log) { return log.is_open(); });
  if (none && problem_.empty()) {
    problem_ = settings_.pattern +
               ": no such file yet; it is read as soon as it is there.  Check the path, and that "
               "PostgreSQL logs to it (SHOW log_directory; SHOW log_filename)";
  }
  scanned_ = true;
}

void LogFollower::take_path(const std::string& path, Micros now, std::vector<Candidate>& fresh) {
  const auto facts = files_.facts(path);
  if (!facts.ok()) {
    problem_ = facts.error().message;
    return;
  }
  if (!facts.value().regular) {
    problem_ = path + ": not a file; name the log files themselves, as in " + path + "/*.log";
    return;
  }
  const Position ours = known(facts.value().identity);
  const bool known_inode = ours != logs_.end();
  if (known_inode) {
    take_known(*ours, path, facts.value(), now);
    if (!ours->state().cut) return;
  }
  // Nothing to tell it by, nothing to read: it may become a copy of what was read already.
  if (facts.value().size == 0 && (scanned_ || (resumed_ && !known_inode))) return;
  OpenLog log({.identity = facts.value().identity}, path);
  const auto opened = log.open(files_);
  if (!opened.ok()) {
    problem_ = opened.error().message;
    return;
  }
  log.seen_at = now;
  fresh.push_back({std::move(log), opened.value()});
}

void LogFollower::take_known(OpenLog& log, const std::string& path, const FileFacts& facts,
                             Micros now) {
  log.renamed(path);
  log.seen_at = now;
  if (log.state().copy || log.is_open()) return;
  if (log.dry && facts.size == log.state().read_to) return;
  reopen(log);
  if (!log.is_open()) return;
  log.size = facts.size;
  log.grown_at = now;
  if (facts.size >= log.state().read_to && log.same_content()) return;
  // Cut while nobody looked, or another file that was given the same inode.
  log.close();
  log.state().cut = true;
}

void LogFollower::reopen(OpenLog& log) {
  const auto opened = log.open(files_);
  if (!opened.ok()) problem_ = opened.error().message;
}

LogFollower::Position LogFollower::known(const FileIdentity& identity) {
  return std::find_if(logs_.begin(), logs_.end(), [&](const OpenLog& log) {
    return log.state().identity == identity && !log.state().cut;
  });
}

/// A log that was renamed to what the pattern does not match is still ours while it has more.
void LogFollower::find_elsewhere(Micros now) {
  const auto paths = files_.list(settings_.pattern + "*");
  if (!paths.ok()) return;
  for (const std::string& path : paths.value()) {
    const auto facts = files_.facts(path);
    if (!facts.ok() || !facts.value().regular || compressed(path)) continue;
    const Position log = known(facts.value().identity);
    if (log != logs_.end() && log->path().empty()) take_known(*log, path, facts.value(), now);
    if (log != logs_.end()) continue;
    OpenLog other({.identity = facts.value().identity}, path);
    Position to = logs_.end();
    if (!other.open(files_).ok() || likeness_of(other, to) != Likeness::kCopy) continue;
    if (to->state().cut) {
      to->go_on_in(std::move(other));
      reopen(*to);
      to->seen_at = now;
    }
  }
}

/// A copy was seen before its original was cut, and the cut only now, by another process.
void LogFollower::go_on_in_copies(Micros now) {
  for (auto log = logs_.begin(); log != logs_.end(); ++log) {
    if (!log->state().cut || log->is_open()) continue;
    const Position copy = copy_of(log->state());
    if (copy == logs_.end()) continue;
    go_on(log, copy);
    log->seen_at = now;
  }
}

LogFollower::Likeness LogFollower::likeness_of(const OpenLog& candidate, Position& to) {
  const std::string_view head = candidate.head();
  if (head.empty()) return Likeness::kOwn;
  bool undecided = false;
  for (auto log = logs_.begin(); log != logs_.end(); ++log) {
    const FollowedFile& is = log->state();
    if (is.copy || is.head_length == 0) continue;
    if (head.size() >= is.head_length) {
      if (fingerprint(head.substr(0, is.head_length)) != is.head_hash) continue;
      to = log;
      return Likeness::kCopy;
    }
    undecided = undecided || log->head().starts_with(head);
  }
  return undecided ? Likeness::kUndecided : Likeness::kOwn;
}

void LogFollower::add(std::vector<Candidate> fresh, bool at_end, Micros now) {
  for (size_t i = 0; i < fresh.size(); ++i) {
    OpenLog& log = fresh[i].log;
    Position original = logs_.end();
    const Likeness likeness = likeness_of(log, original);
    if (likeness == Likeness::kUndecided) continue;  // a copy in the making; the next scan tells
    if (likeness == Likeness::kCopy && original->state().cut) {
      original->go_on_in(std::move(log));
      reopen(*original);
      original->seen_at = now;
      continue;
    }
    if (logs_.size() >= kMostFiles) {
      problem_ = settings_.pattern + ": more than " + std::to_string(kMostFiles) +
                 " files; name fewer of them in the pattern, or remove old ones";
      return;
    }
    log.state().number = next_number();
    log.grown_at = now;
    if (scanned_ || resumed_) log.appeared_at = now;
    if (likeness == Likeness::kCopy) {
      log.state().copy = true;
      log.close();
    } else if (at_end) {
      const bool newest = i + 1 == fresh.size();
      const uint64_t size = fresh[i].facts.size;
      log.state().read_to = newest ? last_line_end(log.file(), size) : size;
      log.size = size;
      log.dry = !newest;
      if (!newest) log.close();
    }
    logs_.push_back(std::move(log));
  }
}

void LogFollower::forget_vanished(Micros now) {
  for (auto log = logs_.begin(); log != logs_.end();) {
    if (!log->is_open() && now - log->seen_at >= kVanished) {
      if (!log->dry && !log->state().copy) ++losses_;
      log = logs_.erase(log);
    } else {
      ++log;
    }
  }
}

uint16_t LogFollower::next_number() {
  const auto taken = [this](uint16_t number) {
    return std::any_of(logs_.begin(), logs_.end(),
                       [number](const OpenLog& log) { return log.state().number == number; });
  };
  do {
    ++last_number_;
  } while (taken(last_number_));
  return last_number_;
}

}  // namespace ectoscope
