// What YAML::Load() leaves unread.
#pragma once

#include <optional>
#include <string>

#include <yaml-cpp/yaml.h>

namespace ectoscope {

/// Where the text goes on after its first document: another one, or what YAML::Load() would leave
/// unread without a word.  YAML::LoadAll() is no help: it never ends on a text like ",a".
/// Throws YAML::ParserException where the first document is none.
std::optional<YAML::Mark> after_first_document(const std::string& text);

}  // namespace ectoscope
