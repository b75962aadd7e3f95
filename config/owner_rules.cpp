#include "config/owner_rules.h"

#include <map>

namespace ectoscope {
namespace {

constexpr size_t kMostRules = 1000;

bool a_glob(std::string_view text) {
  return !text.empty() && text.size() <= 200;
}

constexpr TextSpec kGlob = {"", "", "a name, in which * stands for any text", &a_glob, ""};

bool a_team(std::string_view text) {
  return !text.empty() && text.size() <= 64 &&
         text.find_first_of("\r\n\t") == std::string_view::npos;
}

constexpr TextSpec kTeam = {"team", "", "a team's name, at most 64 bytes", &a_team, ""};

void read_rule(YamlReader& yaml, const std::string& path, const YAML::Node& node,
               std::vector<OwnerRule>& rules) {
  OwnerRule rule;
  const std::map<std::string_view, std::string*> globs = {
      {"table", &rule.table}, {"route", &rule.route}, {"application", &rule.application}};
  YamlReader::Section section;
  for (const auto& [key, target] : globs) {
    section.emplace(key,
                    [&yaml, target = target](const std::string& full, const YAML::Node& value) {
                      yaml.text(full, kGlob, value, *target);
                    });
  }
  section.emplace("team", [&](const std::string& full, const YAML::Node& value) {
    yaml.text(full, kTeam, value, rule.team);
  });
  yaml.section(path, section, node);
  if (!node.IsMap()) return;
  if (!node["team"].IsDefined()) yaml.add(node.Mark(), path + ": no team; say whose it is");
  if (!node["table"].IsDefined() && !node["route"].IsDefined() &&
      !node["application"].IsDefined()) {
    yaml.add(node.Mark(), path + ": what is the team's? give a table, route or application");
  }
  rules.push_back(std::move(rule));
}

}  // namespace

void read_owner_rules(YamlReader& yaml, const std::string& path, const YAML::Node& node,
                      std::vector<OwnerRule>& rules) {
  yaml.list(path, kMostRules, node, [&](const std::string& full, const YAML::Node& element) {
    read_rule(yaml, full, element, rules);
  });
}

}  // namespace ectoscope
