// YAML to Config.  yaml-cpp's exceptions end in YamlReader.
#include <algorithm>
#include <functional>
#include <map>
#include <optional>

#include "config/alerting_settings.h"
#include "config/config.h"
#include "config/ignore_rules.h"
#include "config/overrides.h"
#include "config/owner_rules.h"
#include "config/postgres_settings.h"
#include "config/settings.h"
#include "config/values.h"
#include "config/yaml_reader.h"

namespace ectoscope {

class ConfigLoader {
 public:
  ConfigLoader(std::string name, const SettingsTables& tables, const ConfigSources& sources)
      : yaml_(std::move(name), sources), config_(tables), tables_(tables) {}

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
        config_.overrides_ = read_overrides(yaml_, path, value, tables_, config_.detectors_);
      };
    });
    std::optional<YAML::Node> servers;  // read last: `input` has their defaults
    section.emplace("servers", [&servers](const std::string& /*path*/, const YAML::Node& value) {
      servers = value;
    });
    section.emplace("owners", [this](const std::string& path, const YAML::Node& value) {
      read_owner_rules(yaml_, path, value, config_.owners_);
    });
    section.emplace("alerting", [this](const std::string& path, const YAML::Node& value) {
      read_alerting(yaml_, path, value, tables_, config_.alerting_);
    });
    section.emplace("state", [this](const std::string& path, const YAML::Node& value) {
      read_state(path, value);
    });
    section.emplace(
        "web", [this](const std::string& path, const YAML::Node& value) { read_web(path, value); });
    section.emplace(max_event_age_setting().key,
                    [this](const std::string& path, const YAML::Node& value) {
                      read_micros(path, max_event_age_setting(), value, config_.max_event_age_);
                    });
    yaml_.section("", section, root);
    overrides();
    if (servers) read_servers("servers", *servers);
  }

  void read_micros(const std::string& path, const OptionSpec& spec, const YAML::Node& node,
                   Micros& target) {
    auto number = static_cast<double>(target.count());
    yaml_.number(path, spec, node, number);
    target = Micros(static_cast<int64_t>(number));
  }

  void read_state(const std::string& path, const YAML::Node& node) {
    YamlReader::Section section;
    section.emplace(state_directory_setting().key,
                    [this](const std::string& key, const YAML::Node& value) {
                      yaml_.text(key, state_directory_setting(), value, config_.state_.directory);
                    });
    section.emplace(state_keep_setting().key,
                    [this](const std::string& key, const YAML::Node& value) {
                      read_micros(key, state_keep_setting(), value, config_.state_.keep);
                    });
    yaml_.section(path, section, node);
  }

  void read_web(const std::string& path, const YAML::Node& node) {
    YamlReader::Section section;
    section.emplace(listen_address_setting().key,
                    [this](const std::string& key, const YAML::Node& value) {
                      yaml_.text(key, listen_address_setting(), value, config_.listen_address_);
                    });
    section.emplace(trace_url_setting().key,
                    [this](const std::string& key, const YAML::Node& value) {
                      yaml_.text(key, trace_url_setting(), value, config_.trace_url_);
                    });
    section.emplace(external_url_setting().key,
                    [this](const std::string& key, const YAML::Node& value) {
                      yaml_.text(key, external_url_setting(), value, config_.external_url_);
                      while (config_.external_url_.ends_with('/'))
                        config_.external_url_.pop_back();
                    });
    section.emplace(series_budget_setting().key,
                    [this](const std::string& key, const YAML::Node& value) {
                      auto number = static_cast<double>(config_.series_budget_);
                      yaml_.number(key, series_budget_setting(), value, number);
                      config_.series_budget_ = static_cast<size_t>(number);
                    });
    yaml_.section(path, section, node);
  }

  void read_servers(const std::string& path, const YAML::Node& node) {
    constexpr size_t kMost = 256;
    yaml_.list(path, kMost, node, [this](const std::string& key, const YAML::Node& value) {
      read_server(key, value);
    });
  }

  void read_server(const std::string& path, const YAML::Node& node) {
    ServerConfig server;
    server.input = config_.input_;
    YamlReader::Section section;
    section.emplace(server_name_setting().key,
                    [this, &server](const std::string& key, const YAML::Node& value) {
                      yaml_.text(key, server_name_setting(), value, server.name);
                    });
    add_texts(log_pattern_setting(), server.logs, section);
    add_texts(database_name_setting(), server.databases, section);
    section.emplace(start_at_setting().key,
                    [this, &server](const std::string& key, const YAML::Node& value) {
                      std::string start(start_at_setting().fallback);
                      yaml_.text(key, start_at_setting(), value, start);
                      server.from_end = start == "end";
                    });
    section.emplace("postgres", [this, &server](const std::string& key, const YAML::Node& value) {
      read_postgres(yaml_, key, value, server.postgres);
    });
    read_input_into(path, node, server.input, std::move(section));
    if (!node.IsMap()) return;
    if (!node["name"].IsDefined()) {
      yaml_.add(node.Mark(), path + ": a server needs a name");
    }
    if (server.logs.empty() && !node["postgres"].IsDefined()) {
      yaml_.add(node.Mark(),
                path + ": a server needs logs, a list of paths or patterns, or postgres, or both");
    }
    for (const ServerConfig& other : config_.servers_) {
      if (server.reads_standard_input() && other.reads_standard_input()) {
        yaml_.add(node.Mark(), path + ".logs: '-', standard input, is read for server " +
                                   in_quotes(other.name) + " already; it comes only once");
      }
      if (!server.name.empty() && other.name == server.name) {
        yaml_.add(node.Mark(), path + ".name: " + in_quotes(server.name) +
                                   " is another server's already; each has its own");
      }
    }
    config_.servers_.push_back(std::move(server));
  }

  /// A setter for a list of texts, each once.
  void add_texts(const TextSpec& spec, std::vector<std::string>& target,
                 YamlReader::Section& section) {
    section.emplace(
        spec.key, [this, &spec, &target](const std::string& path, const YAML::Node& value) {
          if (value.IsSequence() && value.size() == 0)
            yaml_.add(value.Mark(), path + ": an empty list; name " + std::string(spec.allowed));
          add_each(path, spec, value, target);
        });
  }

  void add_each(const std::string& path, const TextSpec& spec, const YAML::Node& list,
                std::vector<std::string>& target) {
    constexpr size_t kMost = 200;
    yaml_.list(path, kMost, list, [&](const std::string& key, const YAML::Node& each) {
      std::string text;
      yaml_.text(key, spec, each, text);
      if (text.empty()) return;
      if (std::find(target.begin(), target.end(), text) != target.end())
        yaml_.add(each.Mark(), key + ": " + in_quotes(text) + " stands there twice");
      else
        target.push_back(std::move(text));
    });
  }

  void read_input(const std::string& path, const YAML::Node& node) {
    read_input_into(path, node, config_.input_, {});
  }

  /// `section` has the settings that stand there besides.
  void read_input_into(const std::string& path, const YAML::Node& node, InputConfig& input,
                       YamlReader::Section section) {
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
    section.emplace(tenant_schema_setting().key,
                    [this, &input](const std::string& key, const YAML::Node& value) {
                      input.tenant_schemas.clear();  // the default, or what `input` says
                      add_each(key, tenant_schema_setting(), value, input.tenant_schemas);
                    });
    Options numbers(input_numbers());
    numbers.set("max_record_bytes", static_cast<double>(input.max_record_bytes));
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
                            const SettingsTables& tables, const ConfigSources& sources) {
  return ConfigLoader(name, tables, sources).load(text);
}

std::string problem_with(std::string_view key, std::string_view value) {
  const auto check = [value](const TextSpec& spec) {
    return spec.accepts(value) ? std::string()
                               : in_quotes(value) + " is not " + std::string(spec.allowed);
  };
  if (key == kServerKey) return check(server_setting());
  if (key == listen_address_setting().key) return check(listen_address_setting());
  if (key == external_url_setting().key) return check(external_url_setting());
  for (const TextSpec& spec : input_texts()) {
    if (spec.key == key) return check(spec);
  }
  return "no such setting";
}

}  // namespace ectoscope
