// docs/detectors/, part of the binary: what a report's reader is told of a kind of finding.
#pragma once

#include <string>
#include <string_view>

namespace ectoscope {

/// The page of a kind, Markdown; empty when there is none.
std::string_view detector_page(std::string_view kind);

/// What the problem is, in a paragraph on one line: the page's first.
std::string problem_of(std::string_view kind);

}  // namespace ectoscope
