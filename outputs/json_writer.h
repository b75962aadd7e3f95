// JSON, written as it comes: nothing is held but the open brackets.
#pragma once

#include <cstdint>
#include <optional>
#include <ostream>
#include <string_view>
#include <vector>

namespace ectoscope {

/// Writes one JSON document to `out`, which must outlive it.  Objects and arrays opened as kLines
/// put each member on its own line; those opened as kInline, and all in them, stay on one line.
///
/// Text is taken as UTF-8: what is not becomes U+FFFD; control characters are escaped.  Numbers
/// are the shortest that read back the same; NaN and the infinities become null.
class JsonWriter {
 public:
  enum class Layout : uint8_t { kLines, kInline };

  explicit JsonWriter(std::ostream& out) : out_(out) {}

  void begin_object(Layout layout = Layout::kLines) { begin('{', layout); }
  void end_object() { end('}'); }
  void begin_array(Layout layout = Layout::kLines) { begin('[', layout); }
  void end_array() { end(']'); }

  /// The name of the next value; only in an object.
  void key(std::string_view name);

  void value(std::string_view raw);
  void value(const char* text) { value(std::string_view(text)); }
  void value(double number);
  void value(uint64_t number);
  void value(int64_t number);
  void value(int32_t number) { value(int64_t{number}); }
  void value(bool flag);
  void null();

  template <typename T>
  void member(std::string_view name, const T& held) {
    key(name);
    value(held);
  }

 private:
  struct Level {
    Layout layout;
    bool empty;
  };

  void begin(char bracket, Layout layout);
  void end(char bracket);
  void separate();  // the comma and the white space before a member or element
  void new_line();
  void text(std::string_view raw);

  std::ostream& out_;
  std::vector<Level> levels_;
  bool after_key_ = false;
};

/// Length in bytes of the UTF-8 sequence at the front of `text`; 0 when it is none (overlong,
/// surrogate, cut off, beyond U+10FFFF).
size_t utf8_length(std::string_view text);

}  // namespace ectoscope
