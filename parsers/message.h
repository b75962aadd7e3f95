// The message of a log record about a statement, taken apart.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/time.h"

namespace ectoscope {

enum class MessageKind : uint8_t {
  kOther,  // not about a run of a statement
  kParse,
  kBind,
  kExecute,
  kFetch,      // execute fetch from: one more chunk of a portal
  kStatement,  // simple protocol
  kPlan,       // auto_explain
  kDuration    // log_duration: `duration: X ms` and nothing else
};

/// The views point into the text that was read, and hold literals.
struct Message {
  MessageKind kind = MessageKind::kOther;
  bool timed = false;  // false: log_statement's form, without a duration
  Micros duration{0};
  std::string_view name;  // "ecto_5", "<unnamed>", "ecto_5/PORTAL"; empty for kStatement
  std::string_view sql;   // or the plan, when kind is kPlan
};

/// Reads PostgreSQL's own words, and their translations as PostgreSQL 15 ships them for the
/// languages in message.cpp.  Anything else is kOther.
Message read_message(std::string_view text);

/// The statement's name in "NAME/PORTAL"; the label itself when it names no portal.
std::string_view without_portal(std::string_view label);

}  // namespace ectoscope
