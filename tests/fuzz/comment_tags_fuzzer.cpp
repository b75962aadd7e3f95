// Any bytes as comments, cut at NULs: tags are bounded and harmless, and reading the same comments
// again says the same.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "parsers/comment_tags.h"

namespace {

void require(bool holds) {
  if (!holds) __builtin_trap();
}

ectoscope::CommentTags read_all(ectoscope::CommentTagReader& reader, std::string_view text) {
  ectoscope::CommentTags tags;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\0'), text.size());
    reader.read(text.substr(0, end), tags);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return tags;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace ectoscope;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  Routes routes(100);
  CommentTagReader reader(routes, HashKey{1, 2});
  const CommentTags first = read_all(reader, text);
  const CommentTags second = read_all(reader, text);  // some of it remembered
  require(first.trace_id == second.trace_id && first.request_tag == second.request_tag);
  require(first.route == second.route && first.ignored == second.ignored);
  require(first.bad_traceparent == second.bad_traceparent);
  const Whence& whence = routes.whence(first.route);
  require(whence.route.size() <= 120 && whence.place.size() <= 160);
  for (const char c : whence.route + whence.place)
    require(c >= ' ' && c < 0x7f && c != '<' && c != '>' && c != '"' && c != '\'' && c != '&');
  return 0;
}
