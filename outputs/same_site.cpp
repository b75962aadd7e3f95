#include "outputs/same_site.h"

#include <algorithm>

namespace ectoscope {
namespace {

std::string lowered(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return lower;
}

bool is_ours(std::string_view origin, std::string_view host) {
  const size_t scheme = origin.find("://");
  return scheme != std::string_view::npos && !host.empty() &&
         lowered(origin.substr(scheme + 3)) == lowered(host);
}

}  // namespace

BodyKind body_kind(std::string_view content_type) {
  std::string type = lowered(content_type.substr(0, content_type.find(';')));
  while (!type.empty() && type.back() == ' ')
    type.pop_back();
  if (type == "application/json") return BodyKind::kJson;
  return type == "application/x-www-form-urlencoded" ? BodyKind::kForm : BodyKind::kNone;
}

std::optional<std::string> cross_site_problem(const Provenance& provenance, BodyKind expected) {
  const std::string site = lowered(provenance.sec_fetch_site);
  const bool fetched_here = site == "same-origin" || site == "none";
  if (!site.empty() && !fetched_here) return "a page of another site sent this";
  const bool from_here = is_ours(provenance.origin, provenance.host);
  // With `Referrer-Policy: no-referrer` a form of ours is sent with the origin "null".
  const bool hidden = provenance.origin == "null" && fetched_here;
  if (!provenance.origin.empty() && !from_here && !hidden)
    return "a page of another site sent this";
  if (expected == BodyKind::kNone) return std::nullopt;
  if (body_kind(provenance.content_type) != expected) {
    return expected == BodyKind::kJson ? "send it as application/json"
                                       : "send it as application/x-www-form-urlencoded";
  }
  if (expected == BodyKind::kForm && !from_here && !fetched_here) {
    return "nothing proves that a page of ours sent this; use the API";
  }
  return std::nullopt;
}

}  // namespace ectoscope
