// HttpPoster made real, by libcurl.
#pragma once

#include <memory>

#include "core/http_poster.h"

namespace ectoscope {

/// Keeps its connection between requests.  Follows no redirect, uses no proxy of the environment.
std::unique_ptr<HttpPoster> make_curl_poster(const HttpTarget& target);

}  // namespace ectoscope
