// Who changes something, and why: the body of what pages and programs send.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

namespace ectoscope {

struct PersonSaid {
  static constexpr size_t kMostName = 100;    // bytes
  static constexpr size_t kMostReason = 500;  // as an ignore rule's

  std::string by;
  std::string why;
};

/// {"by": "ada", "why": "next week"}; nothing when it is anything else.
std::optional<PersonSaid> said_in_json(const std::string& body);

/// by=ada&why=next+week
std::optional<PersonSaid> said_in_form(const std::string& body);

/// Empty when nothing is wrong.  Ignoring needs a reason.
std::string problem_with(const std::optional<PersonSaid>& said, bool needs_reason);

}  // namespace ectoscope
