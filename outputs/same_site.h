// Whether a request that changes something comes from our own pages or from a program.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ectoscope {

/// The headers that a browser can't be made to leave out or forge by another site's page.
struct Provenance {
  std::string_view host;
  std::string_view origin;          // empty: none
  std::string_view sec_fetch_site;  // empty: none
  std::string_view content_type;
};

/// What the request's body may be.  kForm is what a page of any site can send without asking, so it
/// is taken only with proof that the page is ours.
enum class BodyKind : uint8_t { kNone, kJson, kForm };

/// Why the request is refused; nothing when it may go on.
std::optional<std::string> cross_site_problem(const Provenance& provenance, BodyKind expected);

/// "application/json", "application/x-www-form-urlencoded", else none.
BodyKind body_kind(std::string_view content_type);

}  // namespace ectoscope
