#include "config/ignore_rules.h"

#include <algorithm>
#include <chrono>
#include <map>

#include "config/values.h"

namespace ectoscope {
namespace {

constexpr size_t kMostRules = 1000;
constexpr size_t kLongestText = 500;

/// YYYY-MM-DD, a day that exists.
std::optional<std::chrono::sys_days> parse_day(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  const auto number = [text](size_t at, size_t digits) {
    int value = 0;
    for (const char c : text.substr(at, digits)) {
      if (c < '0' || c > '9') return -1;
      value = value * 10 + (c - '0');
    }
    return value;
  };
  const int year = number(0, 4);
  const int month = number(5, 2);
  const int day = number(8, 2);
  if (year < 0 || month < 0 || day < 0) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date);
}

bool hex16(std::string_view text) {
  return text.size() == 16 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

class RuleReader {
 public:
  RuleReader(YamlReader& yaml, const SettingsTables& tables) : yaml_(yaml), tables_(tables) {}

  /// Nothing where the rule is wrong; that is told to the reader.
  std::optional<IgnoreRule> read(const std::string& path, const YAML::Node& node) {
    rule_ = {};
    good_ = true;
    rule_.where = yaml_.name() + ":" + std::to_string(node.Mark().line + 1);
    if (!node.IsMap()) {
      yaml_.add(node.Mark(), path + ": a rule like {id: ..., reason: ...} is wanted here");
      return std::nullopt;
    }
    read_keys(path, node);
    if (rule_.reason.empty() && good_) {
      yaml_.add(node.Mark(), path + ": no reason; say with `reason:` why this may be ignored");
      good_ = false;
    }
    if (good_ && rule_.id.empty() && rule_.kind.empty() && rule_.table.empty() &&
        rule_.route.empty() && rule_.fingerprint.empty()) {
      yaml_.add(node.Mark(), path +
                                 ": it would ignore everything; give an id, kind, table, route or "
                                 "fingerprint");
      good_ = false;
    }
    if (!good_) return std::nullopt;
    return rule_;
  }

 private:
  void read_keys(const std::string& path, const YAML::Node& node) {
    YamlReader::Section section;
    const std::map<std::string_view, std::string*> texts = {
        {"id", &rule_.id},         {"kind", &rule_.kind},       {"table", &rule_.table},
        {"route", &rule_.route},   {"owner", &rule_.owner},     {"fingerprint", &rule_.fingerprint},
        {"reason", &rule_.reason}, {"expires", &rule_.last_day}};
    bool known = true;
    for (const auto& entry : node)
      known = known && entry.first.IsScalar() && texts.contains(entry.first.Scalar());
    for (const auto& [key, target] : texts) {
      section.emplace(key,
                      [this, target = target](const std::string& full, const YAML::Node& value) {
                        read_text(full, value, *target);
                      });
    }
    yaml_.section(path, section, node);
    good_ = good_ && known;
    check(path + ".id", node["id"], !rule_.id.empty() && !is_id(rule_.id),
          "is not a finding's id, like n_plus_one_read-5f0c2a9e7d3b1c44");
    check_kind(path + ".kind", node["kind"]);
    check(path + ".fingerprint", node["fingerprint"],
          !rule_.fingerprint.empty() && !hex16(rule_.fingerprint),
          "is not a fingerprint of 16 hex digits");
    if (rule_.last_day.empty()) return;
    const auto day = parse_day(rule_.last_day);
    check(path + ".expires", node["expires"], !day,
          "is not a day like 2026-12-31; it is the last one on which the rule holds, in UTC");
    if (day) rule_.expires = EventTime(*day + std::chrono::days(1));
  }

  void read_text(const std::string& path, const YAML::Node& value, std::string& target) {
    if (!value.IsScalar() || value.Scalar().find_first_not_of(" \t\r\n") == std::string::npos) {
      problem(value.IsNull() ? yaml_.key_mark() : value.Mark(), path + ": a text is wanted here");
    } else if (value.Scalar().size() > kLongestText) {
      problem(value.Mark(), path + ": longer than 500 bytes");
    } else {
      target = value.Scalar();
    }
  }

  [[nodiscard]] bool is_kind(std::string_view kind) const {
    return kind == kScaleKind ||
           std::any_of(tables_.detectors.begin(), tables_.detectors.end(),
                       [kind](const DetectorSettings& it) { return it.name == kind; });
  }

  [[nodiscard]] bool is_id(std::string_view id) const {
    const size_t dash = id.rfind('-');
    return dash != std::string_view::npos && is_kind(id.substr(0, dash)) &&
           hex16(id.substr(dash + 1));
  }

  void check_kind(const std::string& path, const YAML::Node& node) {
    if (rule_.kind.empty() || is_kind(rule_.kind)) return;
    std::vector<std::string_view> kinds{kScaleKind};
    for (const DetectorSettings& detector : tables_.detectors)
      kinds.push_back(detector.name);
    std::string what = "is no kind of finding";
    if (const auto near = nearest(rule_.kind, kinds)) {
      what += "; did you mean " + std::string(*near) + "?";
    }
    check(path, node, true, what);
  }

  void check(const std::string& path, const YAML::Node& node, bool wrong, const std::string& what) {
    if (wrong) problem(node.Mark(), path + ": " + in_quotes(node.Scalar()) + " " + what);
  }

  void problem(const YAML::Mark& mark, std::string what) {
    yaml_.add(mark, std::move(what));
    good_ = false;
  }

  YamlReader& yaml_;
  const SettingsTables& tables_;
  IgnoreRule rule_;
  bool good_ = true;
};

}  // namespace

void read_ignore_rules(YamlReader& yaml, const std::string& path, const YAML::Node& node,
                       const SettingsTables& tables, std::vector<IgnoreRule>& rules) {
  RuleReader reader(yaml, tables);
  yaml.list(path, kMostRules, node, [&](const std::string& full, const YAML::Node& element) {
    if (auto rule = reader.read(full, element)) rules.push_back(std::move(*rule));
  });
}

Result<std::vector<IgnoreRule>> parse_ignore_file(std::string_view text, const std::string& name,
                                                  const SettingsTables& tables) {
  std::vector<IgnoreRule> rules;
  YamlReader yaml(name);
  YamlReader::Section section;
  section.emplace("ignore", [&](const std::string& path, const YAML::Node& node) {
    read_ignore_rules(yaml, path, node, tables, rules);
  });
  if (auto error =
          yaml.read(text, [&](const YAML::Node& root) { yaml.section("", section, root); })) {
    return *error;
  }
  return rules;
}

}  // namespace ectoscope
