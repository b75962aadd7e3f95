#include "daemon/replay.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "ingest/archive.h"

namespace ectoscope {
namespace {

constexpr size_t kMostBytes = size_t{256} * 1024 * 1024;
constexpr std::chrono::seconds kPause{2};       // between recordings
constexpr std::chrono::minutes kMostMissed{5};  // after the machine slept, say: not made up for

std::string_view first_line(std::string_view text) {
  return text.substr(0, text.find('\n'));
}

/// Takes the first line off.
std::string_view take_line(std::string_view& text) {
  const std::string_view line = first_line(text);
  text.remove_prefix(std::min(text.size(), line.size() + 1));
  return line;
}

EventTime first_stamp(std::string_view text) {
  while (!text.empty()) {
    if (const auto stamp = stamp_of_line(take_line(text))) return *stamp;
  }
  return {};
}

EventTime last_stamp(std::string_view text) {
  EventTime last;
  while (!text.empty()) {
    if (const auto stamp = stamp_of_line(take_line(text))) last = std::max(last, *stamp);
  }
  return last;
}

}  // namespace

Replay::Replay(std::vector<std::string> recordings) : recordings_(std::move(recordings)) {}

void Replay::begin(EventTime now) {
  const std::string& first = recordings_.front();
  enter(0, std::chrono::floor<std::chrono::seconds>(now - last_stamp(first)));
}

void Replay::enter(size_t recording, std::chrono::seconds by) {
  playing_ = recording;
  rest_ = recordings_[recording];
  by_ = by;
  ++pass_;
  next_ = first_stamp(rest_) + by_;
}

void Replay::look_ahead() {
  if (rest_.empty()) {
    const size_t following = (playing_ + 1) % recordings_.size();
    const auto by = next_ + kPause - first_stamp(recordings_[following]);
    return enter(following, std::chrono::ceil<std::chrono::seconds>(by));
  }
  // A line that goes on belongs to the one before it: it is due with it.
  if (const auto stamp = stamp_of_line(first_line(rest_))) next_ = *stamp + by_;
}

std::string Replay::due(EventTime now) {
  std::string lines;
  look_ahead();
  if (now - next_ > kMostMissed) begin(now);
  while (next_ <= now) {
    lines += StampMover(by_, pass_).moved(take_line(rest_));
    lines += '\n';
    look_ahead();
  }
  return lines;
}

Result<std::vector<std::string>> read_recordings(Files& files,
                                                 const std::vector<std::string>& paths) {
  std::vector<std::string> texts;
  for (const std::string& path : paths) {
    auto archive = open_archive(files, path);
    if (!archive.ok()) return archive.error();
    std::string text;
    std::array<char, 65536> buffer{};
    while (text.size() < kMostBytes) {
      const auto got = archive.value()->read(buffer);
      if (!got.ok()) return got.error();
      if (got.value() == 0) break;
      text.append(buffer.data(), got.value());
    }
    if (first_stamp(text) == EventTime{}) {
      return Error{path + " has no line that begins with a stamp like 2026-11-22 08:47:26.862 UTC"};
    }
    texts.push_back(std::move(text));
  }
  return texts;
}

}  // namespace ectoscope
