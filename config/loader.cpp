// YAML to Config.  yaml-cpp's exceptions end here.
//
// What yaml-cpp 0.7 does not do for us: it accepts duplicate keys (the first one wins), reads 010
// as 8 and `yes` as true, and throws away all but the first document.  So keys are walked one by
// one, and scalars are taken as text.  No alias is ever walked into twice: the tree is read to a
// fixed depth.
#include <algorithm>
#include <functional>
#include <map>

#include <yaml-cpp/yaml.h>

#include "config/config.h"
#include "config/settings.h"
#include "config/values.h"
#include "config/yaml_documents.h"

namespace ectoscope {
namespace {

constexpr size_t kMaxFileBytes = size_t{1} << 20U;
constexpr size_t kMaxProblems = 100;

struct Problem {
  int line = 0;  // from 1
  int column = 0;
  std::string what;
};

/// What one key of a section does with its value.
using Setter = std::function<void(const std::string& path, const YAML::Node& value)>;
using Section = std::map<std::string_view, Setter>;

}  // namespace

class ConfigLoader {
 public:
  ConfigLoader(std::string name, const SettingsTables& tables)
      : name_(std::move(name)), config_(tables), tables_(tables) {}

  Result<Config> load(std::string_view text) {
    if (text.size() > kMaxFileBytes) {
      return Error{name_ + ": larger than 1 MiB; is this the configuration?"};
    }
    try {
      const std::string copy(text);
      if (const auto rest = after_first_document(copy)) {
        add(*rest, "one YAML document is wanted, and nothing after it");
      } else {
        read_root(YAML::Load(copy));
      }
    } catch (const YAML::Exception& error) {
      problems_.push_back({error.mark.line + 1, error.mark.column + 1, "not YAML: " + error.msg});
    }
    if (problems_.empty()) return config_;
    return Error{describe()};
  }

 private:
  void read_root(const YAML::Node& root) {
    Section section;
    section.emplace(kServerKey, [this](const std::string& path, const YAML::Node& value) {
      read_text(path, server_setting(), value, config_.server_);
    });
    section.emplace("input", [this](const std::string& path, const YAML::Node& value) {
      read_input(path, value);
    });
    section.emplace("limits", [this](const std::string& path, const YAML::Node& value) {
      read_limits(path, value);
    });
    section.emplace("grouping", [this](const std::string& path, const YAML::Node& value) {
      read_section(path, options_section(tables_.grouping, config_.grouping_), value);
    });
    section.emplace("detectors", [this](const std::string& path, const YAML::Node& value) {
      read_detectors(path, value);
    });
    read_section("", section, root);
  }

  void read_input(const std::string& path, const YAML::Node& node) {
    Section section;
    InputConfig& input = config_.input_;
    const std::map<std::string_view, std::string*> targets = {
        {"format", &input.format},
        {"log_line_prefix", &input.log_line_prefix},
        {"timezone", &input.timezone}};
    for (const TextSpec& spec : input_texts()) {
      section.emplace(spec.key, [this, &spec, target = targets.at(spec.key)](
                                    const std::string& key, const YAML::Node& value) {
        read_text(key, spec, value, *target);
      });
    }
    Options numbers(input_numbers());
    add_options(input_numbers(), numbers, section);
    read_section(path, section, node);
    input.max_record_bytes = static_cast<size_t>(numbers.integer("max_record_bytes"));
  }

  void read_limits(const std::string& path, const YAML::Node& node) {
    Options numbers(limit_numbers());
    read_section(path, options_section(limit_numbers(), numbers), node);
    const auto size = [&numbers](std::string_view key) {
      return static_cast<size_t>(numbers.integer(key));
    };
    config_.limits_ = {size("shapes"), size("routes"), size("streams"), size("findings"),
                       size("max_statement_bytes")};
  }

  void read_detectors(const std::string& path, const YAML::Node& node) {
    Section section;
    for (size_t i = 0; i < tables_.detectors.size(); ++i) {
      section.emplace(tables_.detectors[i].name,
                      [this, i](const std::string& key, const YAML::Node& value) {
                        read_detector(key, i, value);
                      });
    }
    read_section(path, section, node);
  }

  void read_detector(const std::string& path, size_t index, const YAML::Node& node) {
    DetectorConfig& detector = config_.detectors_[index];
    Section section = options_section(tables_.detectors[index].options, detector.options);
    section.emplace(enabled_setting().key,
                    [this, &detector](const std::string& key, const YAML::Node& value) {
                      double enabled = detector.enabled ? 1 : 0;
                      read_number(key, enabled_setting(), value, enabled);
                      detector.enabled = enabled != 0;
                    });
    read_section(path, section, node);
  }

  Section options_section(std::span<const OptionSpec> specs, Options& options) {
    Section section;
    add_options(specs, options, section);
    return section;
  }

  void add_options(std::span<const OptionSpec> specs, Options& options, Section& section) {
    for (const OptionSpec& spec : specs) {
      section.emplace(spec.key,
                      [this, &spec, &options](const std::string& path, const YAML::Node& value) {
                        double number = spec.fallback;
                        read_number(path, spec, value, number);
                        options.set(spec.key, number);
                      });
    }
  }

  /// Hands each key's value to its setter; a key twice, or one that isn't there, is a problem.
  void read_section(const std::string& path, const Section& section, const YAML::Node& node) {
    if (node.IsNull()) return;  // `detectors:` with nothing under it
    if (!node.IsMap()) {
      add(node.Mark(), (path.empty() ? "" : path + ": ") + "a mapping of settings is wanted here");
      return;
    }
    std::map<std::string, int> first_lines;
    for (const auto& entry : node) {
      const YAML::Mark mark = entry.first.Mark();
      if (!entry.first.IsScalar()) {
        add(mark, (path.empty() ? "" : path + ": ") + "a setting's name is wanted here");
        continue;
      }
      const std::string& key = entry.first.Scalar();
      std::string full = path.empty() ? "" : path + ".";
      full += key;
      const auto [first, fresh] = first_lines.emplace(key, mark.line + 1);
      if (!fresh) {
        add(mark,
            shown(full) + ": given twice; the first is in line " + std::to_string(first->second));
        continue;
      }
      const auto setter = section.find(key);
      if (setter == section.end()) {
        add(mark, shown(full) + ": no such setting" + hint(key, section));
      } else {
        key_mark_ = mark;
        setter->second(full, entry.second);
      }
    }
  }

  void read_number(const std::string& path, const OptionSpec& spec, const YAML::Node& node,
                   double& target) {
    if (!node.IsScalar()) {
      wrong_kind(path, node, show_allowed(spec), show_value(spec.type, spec.fallback));
      return;
    }
    const auto value = parse_value(spec, node.Scalar());
    if (value.ok()) {
      target = value.value();
    } else {
      add(node.Mark(), path + ": " + value.error().message);
    }
  }

  void read_text(const std::string& path, const TextSpec& spec, const YAML::Node& node,
                 std::string& target) {
    if (!node.IsScalar()) {
      wrong_kind(path, node, std::string(spec.allowed), in_quotes(spec.fallback));
    } else if (!spec.accepts(node.Scalar())) {
      add(node.Mark(), path + ": " + in_quotes(node.Scalar()) + " is not " +
                           std::string(spec.allowed) + "; the default is " +
                           in_quotes(spec.fallback));
    } else {
      target = node.Scalar();
    }
  }

  void wrong_kind(const std::string& path, const YAML::Node& node, const std::string& allowed,
                  const std::string& fallback) {
    const std::string found = node.IsNull() ? "no value" : node.IsMap() ? "a mapping" : "a list";
    add(node.IsNull() ? key_mark_ : node.Mark(),
        path + ": " + found + " where " + allowed + " is wanted; the default is " + fallback);
  }

  static std::string hint(const std::string& key, const Section& section) {
    std::vector<std::string_view> names;
    for (const auto& [name, setter] : section)
      names.push_back(name);
    if (const auto near = nearest(key, names)) return "; did you mean " + std::string(*near) + "?";
    std::string all;
    for (const std::string_view name : names)
      all += (all.empty() ? "" : ", ") + std::string(name);
    return "; there are: " + all;
  }

  /// A key as given, without control characters and not longer than a line.
  static std::string shown(std::string_view key) {
    const std::string text = in_quotes(key);
    return text.substr(1, text.size() - 2);
  }

  void add(const YAML::Mark& mark, std::string what) {
    problems_.push_back({mark.line + 1, mark.column + 1, std::move(what)});
  }

  std::string describe() {
    std::stable_sort(problems_.begin(), problems_.end(), [](const Problem& a, const Problem& b) {
      return std::pair(a.line, a.column) < std::pair(b.line, b.column);
    });
    std::string text;
    for (size_t i = 0; i < problems_.size() && i < kMaxProblems; ++i) {
      const Problem& problem = problems_[i];
      text += name_ + ":" + std::to_string(std::max(problem.line, 1)) + ":" +
              std::to_string(std::max(problem.column, 1)) + ": " + problem.what + "\n";
    }
    if (problems_.size() > kMaxProblems) text += "... the first 100 are shown.\n";
    return text +
           (problems_.size() == 1 ? "1 problem" : std::to_string(problems_.size()) + " problems") +
           "; nothing was started.";
  }

  std::string name_;
  Config config_;
  const SettingsTables& tables_;
  YAML::Mark key_mark_;  // of the value in hand: an absent value has no useful place of its own
  std::vector<Problem> problems_;
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
