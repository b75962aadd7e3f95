// What envelopes share whose entries are JSON objects.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "parsers/envelope.h"
#include "parsers/json_members.h"

namespace ectoscope {

/// Objects that follow each other, each on its line or laid out over several, in an array or not.
class ObjectEnvelope : public Envelope {
 public:
  [[nodiscard]] Frame frame(std::string_view bytes) const final;
  Opened open(std::string_view entry, Wrapped& out) final;
  [[nodiscard]] std::string_view broken_reason() const final { return "bad_json"; }

 private:
  virtual void begin() = 0;
  virtual void take(const JsonMembers& member, Wrapped& out) = 0;
  /// All members were given to take().
  virtual Opened finish(Wrapped& out) = 0;
};

/// A string's text without its escapes, in `scratch` where there are any.
std::string_view unescape_json(std::string_view text, std::string& scratch);

/// The number that the text is; 0 when it is none.
int64_t whole_number(std::string_view text);

}  // namespace ectoscope
