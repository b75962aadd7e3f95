#include "outputs/assets.h"

#include <cstdint>

namespace ectoscope {
namespace {

/// FNV-1a: tells one build's file from another's, no more.
uint32_t checksum(std::string_view bytes) {
  uint32_t hash = 2166136261U;
  for (const char c : bytes)
    hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  return hash;
}

}  // namespace

std::string asset_url(std::string_view name) {
  std::string url = "/static/" + std::string(name);
  for (const Asset& asset : assets()) {
    if (asset.name == name) url += "?v=" + std::to_string(checksum(asset.bytes));
  }
  return url;
}

}  // namespace ectoscope
