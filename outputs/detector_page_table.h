// What outputs/detector_pages.cmake writes.
#pragma once

#include <span>
#include <string_view>

namespace ectoscope {

struct DetectorPage {
  std::string_view kind;
  std::string_view markdown;
};

/// By kind.
std::span<const DetectorPage> detector_pages();

}  // namespace ectoscope
