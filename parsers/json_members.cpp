#include "parsers/json_members.h"

namespace ectoscope {
namespace {

/// The quote that ends the string whose text begins at `at`; null when a line break or the end
/// comes first: a string has no raw line breaks.
const char* string_end(const char* at, const char* end) {
  for (; at != end; ++at) {
    if (*at == '"') return at;
    if (*at == '\n') return nullptr;
    if (*at == '\\' && ++at == end) return nullptr;
  }
  return nullptr;
}

bool ends_value(char c) {
  return c == ',' || c == '}' || c == ']' || c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

}  // namespace

JsonMembers::JsonMembers(std::string_view object)
    : at_(object.data()), end_(object.data() + object.size()) {}

bool JsonMembers::next() {
  if (whole_) return false;
  skip_blanks();
  if (at_ == end_) return false;
  if (*at_ == '}' && !first_) {
    whole_ = true;
    return false;
  }
  if (*at_ != (first_ ? '{' : ',')) return false;
  ++at_;
  skip_blanks();
  if (first_ && at_ != end_ && *at_ == '}') {
    whole_ = true;
    return false;
  }
  first_ = false;
  if (!read_string(key_)) return false;
  skip_blanks();
  if (at_ == end_ || *at_ != ':') return false;
  ++at_;
  skip_blanks();
  return read_value();
}

bool JsonMembers::read_string(std::string_view& text) {
  if (at_ == end_ || *at_ != '"') return false;
  const char* const quote = string_end(at_ + 1, end_);
  if (quote == nullptr) return false;
  text = {at_ + 1, static_cast<size_t>(quote - at_ - 1)};
  at_ = quote + 1;
  return true;
}

bool JsonMembers::read_value() {
  if (at_ == end_) return false;
  is_string_ = *at_ == '"';
  if (is_string_) return read_string(value_);
  const char* const begin = at_;
  if (*at_ == '{' || *at_ == '[') {
    if (!skip_nested()) return false;
  } else {
    while (at_ != end_ && !ends_value(*at_))
      ++at_;
  }
  value_ = {begin, static_cast<size_t>(at_ - begin)};
  return !value_.empty();
}

bool JsonMembers::skip_nested() {
  size_t depth = 0;
  while (at_ != end_) {
    const char c = *at_;
    if (c == '"') {
      std::string_view skipped;
      if (!read_string(skipped)) return false;
      continue;
    }
    ++at_;
    if (c == '{' || c == '[') ++depth;
    if ((c == '}' || c == ']') && --depth == 0) return true;
  }
  return false;
}

void JsonMembers::skip_blanks() {
  while (at_ != end_ && (*at_ == ' ' || *at_ == '\t' || *at_ == '\r' || *at_ == '\n'))
    ++at_;
}

}  // namespace ectoscope
