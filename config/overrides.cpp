#include "config/overrides.h"

#include <map>

namespace ectoscope {
namespace {

constexpr size_t kMostOverrides = 100;
constexpr size_t kLongestGlob = 200;

void read_match(YamlReader& yaml, const std::string& path, const YAML::Node& node,
                OverrideMatch& match) {
  const std::map<std::string_view, std::string*> globs = {{"application", &match.application},
                                                          {"database", &match.database},
                                                          {"user", &match.user},
                                                          {"route", &match.route},
                                                          {"tag", &match.tag}};
  YamlReader::Section section;
  for (const auto& [key, target] : globs) {
    section.emplace(
        key, [&yaml, target = target](const std::string& full, const YAML::Node& value) {
          if (!value.IsScalar() || value.Scalar().empty() || value.Scalar().size() > kLongestGlob) {
            yaml.add(value.IsNull() ? yaml.key_mark() : value.Mark(),
                     full + ": a name is wanted here, in which * stands for any text");
          } else {
            *target = value.Scalar();
          }
        });
  }
  yaml.section(path, section, node);
}

void read_override(YamlReader& yaml, const std::string& path, const YAML::Node& node,
                   const SettingsTables& tables, OverrideConfig& read) {
  bool matches = false;
  bool sets = false;
  YamlReader::Section section;
  section.emplace("match", [&](const std::string& full, const YAML::Node& value) {
    matches = value.IsMap() && value.size() > 0;
    read_match(yaml, full, value, read.match);
  });
  section.emplace("detectors", [&](const std::string& full, const YAML::Node& value) {
    sets = value.IsMap() && value.size() > 0;
    read_detectors(yaml, full, value, tables, read.detectors);
  });
  yaml.section(path, section, node);
  if (!matches) {
    yaml.add(node.Mark(), path +
                              ": no `match:`; say whose traffic it is for: application, database, "
                              "user, route or tag");
  }
  if (!sets) yaml.add(node.Mark(), path + ": no `detectors:`; it would change nothing");
}

}  // namespace

std::vector<OverrideConfig> read_overrides(YamlReader& yaml, const std::string& path,
                                           const YAML::Node& node, const SettingsTables& tables,
                                           const std::vector<DetectorConfig>& base) {
  std::vector<OverrideConfig> overrides;
  yaml.list(path, kMostOverrides, node, [&](const std::string& full, const YAML::Node& element) {
    OverrideConfig read{{}, base};
    read_override(yaml, full, element, tables, read);
    overrides.push_back(std::move(read));
  });
  return overrides;
}

void read_detectors(YamlReader& yaml, const std::string& path, const YAML::Node& node,
                    const SettingsTables& tables, std::vector<DetectorConfig>& detectors) {
  YamlReader::Section section;
  for (size_t i = 0; i < tables.detectors.size(); ++i) {
    section.emplace(tables.detectors[i].name, [&yaml, specs = tables.detectors[i].options,
                                               &detector = detectors[i]](const std::string& full,
                                                                         const YAML::Node& value) {
      YamlReader::Section options;
      yaml.add_options(specs, detector.options, options);
      options.emplace(enabled_setting().key,
                      [&yaml, &detector](const std::string& key, const YAML::Node& flag) {
                        double enabled = detector.enabled ? 1 : 0;
                        yaml.number(key, enabled_setting(), flag, enabled);
                        detector.enabled = enabled != 0;
                      });
      yaml.section(full, options, value);
    });
  }
  yaml.section(path, section, node);
}

}  // namespace ectoscope
