#include "core/glob.h"

#include <algorithm>

namespace ectoscope {

bool glob_matches(std::string_view pattern, std::string_view text) {
  size_t p = 0;
  size_t t = 0;
  size_t star = std::string_view::npos;  // the latest '*', and where the text stood then
  size_t resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*')
    ++p;
  return p == pattern.size();
}

std::vector<std::string> globs_in(std::string_view list) {
  std::vector<std::string> globs;
  while (!list.empty()) {
    const size_t comma = std::min(list.find(','), list.size());
    std::string_view glob = list.substr(0, comma);
    list.remove_prefix(std::min(comma + 1, list.size()));
    while (glob.starts_with(' '))
      glob.remove_prefix(1);
    while (glob.ends_with(' '))
      glob.remove_suffix(1);
    if (!glob.empty()) globs.emplace_back(glob);
  }
  return globs;
}

}  // namespace ectoscope
