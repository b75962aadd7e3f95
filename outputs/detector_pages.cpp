#include "outputs/detector_pages.h"

#include <algorithm>

#include "outputs/detector_page_table.h"

namespace ectoscope {

std::string_view detector_page(std::string_view kind) {
  for (const DetectorPage& page : detector_pages()) {
    if (page.kind == kind) return page.markdown;
  }
  return {};
}

std::string problem_of(std::string_view kind) {
  std::string_view page = detector_page(kind);
  std::string paragraph;
  while (!page.empty()) {
    const size_t end = std::min(page.find('\n'), page.size());
    const std::string_view line = page.substr(0, end);
    page.remove_prefix(std::min(end + 1, page.size()));
    if (line.starts_with('#')) continue;
    if (line.empty() && !paragraph.empty()) break;
    if (line.empty()) continue;
    paragraph += (paragraph.empty() ? "" : " ") + std::string(line);
  }
  return paragraph;
}

}  // namespace ectoscope
