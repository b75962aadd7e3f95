// The pages' style sheet, script and icon, part of the binary (outputs/static/, at build time).
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace ectoscope {

struct Asset {
  std::string_view name;
  std::string_view content_type;
  std::string_view bytes;
};

/// By name.  Written by outputs/embed.cmake.
std::span<const Asset> assets();

/// "/static/NAME?v=HASH": changes with the content, so that browsers may keep what they have.
std::string asset_url(std::string_view name);

}  // namespace ectoscope
