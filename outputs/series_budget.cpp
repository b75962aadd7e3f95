#include "outputs/series_budget.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <utility>

namespace ectoscope {
namespace {

constexpr std::chrono::hours kDwell{1};

}  // namespace

bool LabelBudget::admit(const std::vector<std::string>& labels) {
  std::string key;
  for (const std::string& label : labels) {
    key += label;
    key += '\0';
  }
  if (admitted_.contains(key)) return true;
  if (admitted_.size() < most_) {
    admitted_.insert(std::move(key));
    return true;
  }
  if (seen_refused_.size() < kMostRemembered &&
      seen_refused_.insert(std::hash<std::string>{}(key)).second) {
    ++refused_;
  }
  return false;
}

ActiveFindings::Choice ActiveFindings::choose(const Snapshot& snapshot) {
  for (auto& [id, member] : members_)
    member.seen = false;
  std::vector<const std::shared_ptr<const TrackedFinding>*> candidates;  // costliest first
  for (const auto& tracked : snapshot.findings) {
    const auto member = members_.find(tracked->finding.id);
    if (member != members_.end()) {
      member->second.last = tracked;
      member->second.seen = tracked->active;
    } else if (tracked->active) {
      candidates.push_back(&tracked);
    }
  }
  forget_what_left(snapshot.taken_at);
  Choice choice;
  std::vector<size_t> others;
  for (const auto* candidate : candidates) {
    const std::string& id = (*candidate)->finding.id;
    if (members_.size() < most_) {
      members_[id] = {snapshot.taken_at, *candidate, true};
    } else {
      others.push_back(std::hash<std::string>{}(id));
    }
  }
  std::sort(others.begin(), others.end());
  refused_ += static_cast<uint64_t>(std::count_if(others.begin(), others.end(), [this](size_t id) {
    return !std::binary_search(others_.begin(), others_.end(), id);
  }));
  others_ = std::move(others);
  choice.others = others_.size();
  for (const auto& [id, member] : members_)
    choice.shown.push_back({member.last, member.seen});
  return choice;
}

void ActiveFindings::forget_what_left(EventTime now) {
  for (auto it = members_.begin(); it != members_.end();) {
    const bool stays = it->second.seen || now - it->second.since < kDwell;
    it = stays ? std::next(it) : members_.erase(it);
  }
}

}  // namespace ectoscope
