#include "parsers/prefix_set.h"

#include <algorithm>

namespace ectoscope {
namespace {

constexpr size_t kMaxPrefixes = 8;
constexpr size_t kProvingLines = 3;
constexpr size_t kProvingKeys = 2;
constexpr uint64_t kFirstSearches = 8;  // at once; then after 1 MiB, 2 MiB, 4 MiB ...
constexpr uint64_t kFirstWait = uint64_t{1} << 20U;
constexpr uint64_t kLongestWait = uint64_t{64} << 20U;

}  // namespace

PrefixSet::PrefixSet(const std::string& given, StampReader& stamps) : stamps_(stamps) {
  if (!given.empty()) prefixes_.emplace_back(given);
}

bool PrefixSet::match(std::string_view line, LogRecord& record, LineHead& head) {
  if (active_ < prefixes_.size() && prefixes_[active_].match(line, stamps_, record, head))
    return true;
  return match_other(line, record, head);
}

bool PrefixSet::match_other(std::string_view line, LogRecord& record, LineHead& head) {
  for (size_t i = 0; i < prefixes_.size(); ++i) {
    if (i == active_) continue;
    record = {};
    head = {};
    if (!prefixes_[i].match(line, stamps_, record, head)) continue;
    active_ = i;
    return true;
  }
  return false;
}

bool PrefixSet::match_any_name(std::string_view line, LogRecord& record, LineHead& head) {
  for (size_t i = 0; i < prefixes_.size(); ++i) {
    record = {};
    head = {};
    if (!prefixes_[i].match_any_name(line, stamps_, record, head)) continue;
    active_ = i;
    return true;
  }
  return false;
}

bool PrefixSet::breaks_off_in_name(std::string_view line) const {
  return std::any_of(prefixes_.begin(), prefixes_.end(), [&](const LinePrefix& prefix) {
    return prefix.breaks_off_in_name(line, stamps_);
  });
}

bool PrefixSet::search(std::string_view sample, uint64_t offset, bool settled) {
  if (prefixes_.size() >= kMaxPrefixes || offset < next_search_) return false;
  const size_t known = prefixes_.size();
  for (const FoundPrefix& found : find_prefixes(sample, stamps_))
    if (prefixes_.size() < kMaxPrefixes && believable(found, settled))
      prefixes_.emplace_back(found.text);
  if (prefixes_.size() > known) {
    searches_ = 0;
    return true;
  }
  if (++searches_ > kFirstSearches)
    next_search_ = offset + std::min(kLongestWait, kFirstWait << std::min<uint64_t>(
                                                       searches_ - kFirstSearches - 1, 10));
  return false;
}

bool PrefixSet::believable(const FoundPrefix& found, bool settled) const {
  const auto any = [&](auto holds) {
    return std::any_of(prefixes_.begin(), prefixes_.end(),
                       [&](const LinePrefix& prefix) { return holds(prefix.text()); });
  };
  if (any([&](const std::string& text) { return text == found.text; })) return false;
  if (prefixes_.empty() || found.lines >= kProvingLines) return true;
  // Lines without a session print the prefix up to a %q that we may not know of yet.
  if (any([&](const std::string& text) { return text.starts_with(found.text); })) return true;
  return !settled && found.keyed >= kProvingKeys;
}

}  // namespace ectoscope
