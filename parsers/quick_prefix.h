// A log_line_prefix matched fast, on lines that are like nearly all.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "parsers/prefix_fields.h"

namespace ectoscope {

/// Takes lines whose fields all end within 16 bytes, at the first place where they can, without a
/// search for others; LinePrefix asks it first and does the rest itself.
class QuickPrefix {
 public:
  explicit QuickPrefix(const PrefixOps& prefix);

  /// As LinePrefix::match(); false may also mean that the line needs a closer look.
  bool match(PrefixMatching& matching) const;

 private:
  enum class Kind : uint8_t { kLiteral, kStamp, kPid, kQueryId, kView, kHost, kSkipped };

  struct Op {
    Kind kind = Kind::kView;
    PrefixField field = PrefixField::kNothing;
    bool blanks = false;  // the field may hold some
    bool name = false;
    char first = '\0';  // of the literal behind it
    uint8_t after_size = 0;
    uint64_t after_bytes = 0;  // the literal ...
    uint64_t after_mask = 0;   // ... and which of the eight bytes it has
    std::string_view LogRecord::*view = nullptr;
  };

  static Op make_op(const PrefixOp& source);
  static const char* read(const Op& op, const char* at, PrefixMatching& matching);

  std::vector<Op> ops_;  // empty: the prefix has something that only LinePrefix can read
  size_t session_ops_;
};

}  // namespace ectoscope
