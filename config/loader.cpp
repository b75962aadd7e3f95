// YAML to Config.  yaml-cpp's exceptions end in YamlReader.
#include <functional>
#include <map>

#include "config/config.h"
#include "config/ignore_rules.h"
#include "config/overrides.h"
#include "config/settings.h"
#include "config/values.h"
#include "config/yaml_reader.h"

namespace ectoscope {

class ConfigLoader {
 public:
  ConfigLoader(std::string name, const SettingsTables& tables)
      : yaml_(std::move(name)), config_(tables), tables_(tables) {}

  Result<Config> load(std::string_view text) {
    if (auto error = yaml_.read(text, [this](const YAML::Node& root) { read_root(root); })) {
      return *error;
    }
    return config_;
  }

 private:
  void read_root(const YAML::Node& root) {
    YamlReader::Section section;
    section.emplace(kServerKey, [this](const std::string& path, const YAML::Node& value) {
      yaml_.text(path, server_setting(), value, config_.server_);
    });
    section.emplace("input", [this](const std::string& path, const YAML::Node& value) {
      read_input(path, value);
    });
    section.emplace("limits", [this](const std::string& path, const YAML::Node& value) {
      read_limits(path, value);
    });
    section.emplace("grouping", [this](const std::string& path, const YAML::Node& value) {
      yaml_.section(path, yaml_.options_section(tables_.grouping, config_.grouping_), value);
    });
    section.emplace("detectors", [this](const std::string& path, const YAML::Node& value) {
      read_detectors(yaml_, path, value, tables_, config_.detectors_);
    });
    section.emplace("ignore", [this](const std::string& path, const YAML::Node& value) {
      read_ignore_rules(yaml_, path, value, tables_, config_.ignore_);
    });
    std::function<void()> overrides = [] {};  // they build on `detectors:`, which may come later
    section.emplace("overrides", [&](const std::string& path, const YAML::Node& value) {
      overrides = [this, path, value] {
        read_overrides(yaml_, path, value, tables_, config_.detectors_, config_.overrides_);
      };
    });
    yaml_.section("", section, root);
    overrides();
  }

  void read_input(const std::string& path, const YAML::Node& node) {
    YamlReader::Section section;
    InputConfig& input = config_.input_;
    const std::map<std::string_view, std::string*> targets = {
        {"format", &input.format},
        {"log_line_prefix", &input.log_line_prefix},
        {"timezone", &input.timezone}};
    for (const TextSpec& spec : input_texts()) {
      section.emplace(spec.key, [this, &spec, target = targets.at(spec.key)](
                                    const std::string& key, const YAML::Node& value) {
        yaml_.text(key, spec, value, *target);
      });
    }
    Options numbers(input_numbers());
    yaml_.add_options(input_numbers(), numbers, section);
    yaml_.section(path, section, node);
    input.max_record_bytes = static_cast<size_t>(numbers.integer("max_record_bytes"));
  }

  void read_limits(const std::string& path, const YAML::Node& node) {
    Options numbers(limit_numbers());
    yaml_.section(path, yaml_.options_section(limit_numbers(), numbers), node);
    const auto size = [&numbers](std::string_view key) {
      return static_cast<size_t>(numbers.integer(key));
    };
    config_.limits_ = {size("shapes"), size("routes"), size("streams"), size("findings"),
                       size("max_statement_bytes")};
  }

  YamlReader yaml_;
  Config config_;
  const SettingsTables& tables_;
};

Result<Config> parse_config(std::string_view text, const std::string& name,
                            const SettingsTables& tables) {
  return ConfigLoader(name, tables).load(text);
}

std::string problem_with(std::string_view key, std::string_view value) {
  const auto check = [value](const TextSpec& spec) {
    return spec.accepts(value) ? std::string()
                               : in_quotes(value) + " is not " + std::string(spec.allowed);
  };
  if (key == kServerKey) return check(server_setting());
  for (const TextSpec& spec : input_texts()) {
    if (spec.key == key) return check(spec);
  }
  return "no such setting";
}

}  // namespace ectoscope
