#include "outputs/deploys_api.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

namespace ectoscope {
namespace {

constexpr size_t kLongest = 100;  // bytes of a version and of an application
constexpr auto kInline = JsonWriter::Layout::kInline;

bool printable(const std::string& text) {
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7F'; });
}

}  // namespace

Result<DeployNote> read_deploy(const std::string& body) {
  const Error wanted{
      "send \"version\", and if need be \"application\" (as in application_name) and \"time\" (RFC "
      "3339), all text"};
  const auto json = nlohmann::json::parse(body, nullptr, false);
  if (!json.is_object()) return wanted;
  DeployNote note;
  for (const auto& [name, value] : json.items()) {
    if (!value.is_string()) return wanted;
    if (name == "version")
      note.version = value.get<std::string>();
    else if (name == "application")
      note.application = value.get<std::string>();
    else if (name == "time")
      note.time = value.get<std::string>();
    else
      return wanted;
  }
  if (note.version.empty()) return wanted;
  for (const auto& [name, text] :
       {std::pair("version", &note.version), std::pair("application", &note.application)}) {
    if (text->size() > kLongest || !printable(*text))
      return Error{std::string(name) + ": at most " + std::to_string(kLongest) +
                   " bytes, without control characters"};
  }
  return note;
}

void write_deploy(JsonWriter& json, const Deploy* deploy) {
  if (deploy == nullptr) return json.null();
  json.begin_object(kInline);
  json.member("version", std::string_view(deploy->version));
  json.member("application", std::string_view(deploy->application));
  json.member("time", format_rfc3339(deploy->at));
  json.end_object();
}

std::string deploy_json(const Deploy& deploy) {
  std::ostringstream out;
  JsonWriter json(out);
  write_deploy(json, &deploy);
  return out.str();
}

std::string deploys_json(const std::vector<Deploy>& deploys) {
  std::ostringstream out;
  JsonWriter json(out);
  json.begin_object();
  json.member("schema", 1);
  json.key("deploys");
  json.begin_array();
  for (const Deploy& deploy : deploys)
    write_deploy(json, &deploy);
  json.end_array();
  json.end_object();
  return out.str();
}

std::string deploy_name(const Deploy& deploy) {
  return deploy.application.empty() ? deploy.version
                                    : deploy.version + " (" + deploy.application + ")";
}

}  // namespace ectoscope
