// The members of a JSON object that may hold other objects: what programs that forward logs write.
#pragma once

#include <string_view>

namespace ectoscope {

/// Goes through one object's members; nested values are skipped whole.  Line breaks may stand
/// between members, as in text that was laid out for people.
class JsonMembers {
 public:
  /// `object` begins with its brace; what stands behind its end is not looked at.
  explicit JsonMembers(std::string_view object);

  /// Goes to the next member; false at the end and where the object is broken.
  bool next();

  /// The object ended with its brace.
  [[nodiscard]] bool whole() const { return whole_; }

  [[nodiscard]] std::string_view key() const { return key_; }

  /// Of a string what stands between its quotes, escaped as it is; else the value as it stands.
  [[nodiscard]] std::string_view value() const { return value_; }
  [[nodiscard]] bool is_string() const { return is_string_; }

 private:
  bool read_string(std::string_view& text);
  bool read_value();
  bool skip_nested();
  void skip_blanks();

  const char* at_;
  const char* end_;
  std::string_view key_;
  std::string_view value_;
  bool is_string_ = false;
  bool first_ = true;
  bool whole_ = false;
};

}  // namespace ectoscope
