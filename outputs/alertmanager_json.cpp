#include "outputs/alertmanager_json.h"

#include <sstream>

#include "outputs/json_writer.h"

namespace ectoscope {
namespace {

void write(JsonWriter& json, const char* name, const std::map<std::string, std::string>& texts) {
  json.key(name);
  json.begin_object(JsonWriter::Layout::kInline);
  for (const auto& [key, text] : texts)
    json.member(key, std::string_view(text));
  json.end_object();
}

}  // namespace

std::string alerts_json(const Alerts& alerts, const AlertLabels& external_labels) {
  std::ostringstream out;
  JsonWriter json(out);
  json.begin_array(JsonWriter::Layout::kInline);
  for (const auto& alert : alerts) {
    AlertLabels labels = *alert->labels;
    labels.insert(external_labels.begin(), external_labels.end());
    json.begin_object(JsonWriter::Layout::kInline);
    write(json, "labels", labels);
    write(json, "annotations", alert->annotations);
    json.member("startsAt", std::string_view(format_rfc3339(alert->starts_at)));
    json.member("endsAt", std::string_view(format_rfc3339(alert->ends_at)));
    json.member("generatorURL", std::string_view(alert->url));
    json.end_object();
  }
  json.end_array();
  return out.str();
}

}  // namespace ectoscope
