#include "outputs/person_said.h"

#include <httplib.h>
#include <nlohmann/json.hpp>

namespace ectoscope {
namespace {

bool blank(const std::string& text) {
  return text.find_first_not_of(" \t\r\n") == std::string::npos;
}

}  // namespace

std::optional<PersonSaid> said_in_json(const std::string& body) {
  const auto json = nlohmann::json::parse(body, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  PersonSaid said;
  for (const auto& [name, value] : json.items()) {
    if (!value.is_string() || (name != "by" && name != "why")) return std::nullopt;
    (name == "by" ? said.by : said.why) = value.get<std::string>();
  }
  return said;
}

std::optional<PersonSaid> said_in_form(const std::string& body) {
  httplib::Params fields;
  httplib::detail::parse_query_text(body, fields);
  const auto by = fields.find("by");
  const auto why = fields.find("why");
  if (by == fields.end()) return std::nullopt;
  return PersonSaid{by->second, why == fields.end() ? "" : why->second};
}

std::string problem_with(const std::optional<PersonSaid>& said, bool needs_reason) {
  if (!said) return "send \"by\", your name, and \"why\", both text";
  if (blank(said->by)) return "by: say who you are";
  if (said->by.size() > PersonSaid::kMostName) {
    return "by: at most " + std::to_string(PersonSaid::kMostName) + " bytes";
  }
  if (needs_reason && blank(said->why)) return "why: say why this may be ignored";
  if (said->why.size() > PersonSaid::kMostReason) {
    return "why: at most " + std::to_string(PersonSaid::kMostReason) + " bytes";
  }
  return {};
}

}  // namespace ectoscope
