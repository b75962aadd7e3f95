#include "config/alerting_settings.h"

#include <algorithm>
#include <array>
#include <set>

#include "config/values.h"

namespace ectoscope {
namespace {

using Type = OptionSpec::Type;

constexpr size_t kMostAlertmanagers = 16;
constexpr size_t kMostLabels = 20;

bool a_text(std::string_view text) {
  return text.size() <= 1000 && text.find_first_of("\r\n") == std::string_view::npos;
}

bool a_secret(std::string_view text) {
  return !text.empty() && text.size() <= 16'384 &&
         text.find_first_of("\r\n") == std::string_view::npos;
}

bool a_path(std::string_view text) {
  return text.size() < 4096 && text.find('\n') == std::string_view::npos;
}

bool a_severity(std::string_view text) {
  return text == "info" || text == "warning" || text == "critical";
}

bool any_text(std::string_view /*text*/) {
  return true;
}

bool a_label_value(std::string_view text) {
  return !text.empty() && text.size() <= 1000;
}

bool a_label_name(std::string_view text) {
  const auto letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  return !text.empty() && text.size() <= 100 && letter(text[0]) && !text.starts_with("__") &&
         std::all_of(text.begin(), text.end(),
                     [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

bool is_own_label(std::string_view name) {
  static const std::set<std::string_view> kOwn = {
      "alertname", "id", "kind", "severity", "server", "database", "team", "application", "table"};
  return kOwn.contains(name);
}

constexpr std::array kTexts = {
    TextSpec{"url", "", "an http or https address without credentials, as in http://127.0.0.1:9093",
             &plain_url, "Where it is, with its path prefix; /api/v2/alerts is put behind it."},
    TextSpec{"username", "", "a name", &a_text, "For basic authentication."},
    TextSpec{"password", "", "a password", &a_secret,
             "Better in a file, named by password_file; read again at a reload."},
    TextSpec{"bearer_token", "", "a token", &a_secret,
             "Instead of username and password; in a file by bearer_token_file."},
    TextSpec{"ca_file", "", "a path", &a_path,
             "Certificates that its own is checked against, instead of the system's."},
    TextSpec{"cert_file", "", "a path", &a_path, "Our certificate, where it asks for one ..."},
    TextSpec{"key_file", "", "a path", &a_path, "... and the key to it."},
    TextSpec{"server_name", "", "a host's name", &a_text,
             "The name that its certificate must have; empty: the host of the url."},
};

constexpr std::array kNumbers = {
    OptionSpec{"insecure_skip_verify", Type::kBoolean, 0, 0, 1,
               "Whether any certificate will do.  Only to find out what is wrong."},
    OptionSpec{"timeout", Type::kDuration, 10e6, 100e3, 300e6, "For each request."},
};

constexpr TextSpec kMinSeverity = {"min_severity", "warning", "one of info, warning, critical",
                                   &a_severity, "What is less severe alerts nobody."};

constexpr TextSpec kCritical = {
    "critical", "", "a list of kinds of findings", &any_text,
    "Kinds whose critical findings make alerts with severity critical, as in [deadlock]: those "
    "that "
    "you want to be woken for.  All other alerts are warnings at most."};

constexpr TextSpec kExternalLabel = {
    "external_labels", "", "a text, at most 1000 bytes", &a_label_value,
    "On every alert, as in {cluster: eu1}.  Give them the values that Prometheus has in its own."};

constexpr std::array kAlertingNumbers = {
    OptionSpec{
        "resend_interval", Type::kDuration, 60e6, 1e6, 3600e6,
        "How often what fires is told again.  Alertmanager ends what it has not heard of for "
        "four of them."},
    OptionSpec{"queue", Type::kInteger, 10'000, 100, 1'000'000,
               "Alerts that wait for an Alertmanager that is away; then the oldest are dropped."},
};

void check_target(YamlReader& yaml, const std::string& path, const YAML::Node& node,
                  const HttpTarget& target) {
  if (!node.IsMap()) return;
  if (!node["url"].IsDefined()) yaml.add(node.Mark(), path + ": no url; where is it?");
  if (!target.bearer_token.empty() && (!target.username.empty() || !target.password.empty())) {
    yaml.add(node.Mark(), path + ": username and bearer_token; leave one of them out");
  }
  if (target.username.empty() && !target.password.empty()) {
    yaml.add(node.Mark(), path + ": a password without a username");
  }
  if (target.cert_file.empty() != target.key_file.empty()) {
    yaml.add(node.Mark(), path + ": cert_file and key_file go together");
  }
}

void read_target(YamlReader& yaml, const std::string& path, const YAML::Node& node,
                 std::vector<HttpTarget>& targets) {
  HttpTarget target;
  const std::array<std::string*, kTexts.size()> fields = {
      &target.url,     &target.username,  &target.password, &target.bearer_token,
      &target.ca_file, &target.cert_file, &target.key_file, &target.server_name};
  YamlReader::Section section;
  for (size_t i = 0; i < kTexts.size(); ++i) {
    if (kTexts[i].accepts == &a_secret) {
      yaml.add_secret(kTexts[i], *fields[i], section);
      continue;
    }
    section.emplace(kTexts[i].key, [&yaml, &spec = kTexts[i], field = fields[i]](
                                       const std::string& full, const YAML::Node& value) {
      yaml.text(full, spec, value, *field);
    });
  }
  Options numbers(kNumbers);
  yaml.add_options(kNumbers, numbers, section);
  yaml.section(path, section, node);
  target.insecure_skip_verify = numbers.boolean("insecure_skip_verify");
  target.timeout = numbers.duration("timeout");
  check_target(yaml, path, node, target);
  while (target.url.ends_with('/'))
    target.url.pop_back();
  if (std::any_of(targets.begin(), targets.end(),
                  [&](const HttpTarget& it) { return !it.url.empty() && it.url == target.url; })) {
    yaml.add(node.Mark(), path + ".url: " + in_quotes(target.url) + " stands there twice");
  }
  targets.push_back(std::move(target));
}

void read_critical(YamlReader& yaml, const std::string& path, const YAML::Node& node,
                   const SettingsTables& tables, std::vector<std::string>& kinds) {
  std::vector<std::string_view> known;
  for (const DetectorSettings& detector : tables.detectors)
    known.push_back(detector.name);
  yaml.list(path, known.size(), node, [&](const std::string& full, const YAML::Node& each) {
    std::string kind;
    yaml.text(full, kCritical, each, kind);
    if (std::find(known.begin(), known.end(), kind) != known.end()) {
      kinds.push_back(std::move(kind));
      return;
    }
    const auto near = nearest(kind, known);
    yaml.add(each.Mark(), full + ": " + in_quotes(kind) + " is no kind of finding" +
                              (near ? "; did you mean " + std::string(*near) + "?" : ""));
  });
}

void read_label(YamlReader& yaml, const std::string& path, const YAML::Node& node,
                const std::string& name, std::map<std::string, std::string>& labels) {
  if (is_own_label(name)) {
    yaml.add(yaml.key_mark(), path + ": alerts have this label from their finding");
  } else if (!a_label_name(name)) {
    yaml.add(yaml.key_mark(), path + ": a label's name has letters, digits and '_' only");
  } else {
    yaml.text(path, kExternalLabel, node, labels[name]);
  }
}

void read_labels(YamlReader& yaml, const std::string& path, const YAML::Node& node,
                 std::map<std::string, std::string>& labels) {
  std::set<std::string> names;  // what the section's keys look at
  if (node.IsMap()) {
    for (const auto& entry : node) {
      if (entry.first.IsScalar()) names.insert(entry.first.Scalar());
    }
  }
  YamlReader::Section section;
  for (const std::string& name : names) {
    section.emplace(name, [&](const std::string& full, const YAML::Node& value) {
      read_label(yaml, full, value, name, labels);
    });
  }
  if (names.size() > kMostLabels) yaml.add(node.Mark(), path + ": more than 20 labels");
  yaml.section(path, section, node);
}

}  // namespace

std::span<const TextSpec> alertmanager_texts() {
  return kTexts;
}

std::span<const OptionSpec> alertmanager_numbers() {
  return kNumbers;
}

const TextSpec& min_severity_setting() {
  return kMinSeverity;
}

const TextSpec& critical_setting() {
  return kCritical;
}

const TextSpec& external_label_setting() {
  return kExternalLabel;
}

std::span<const OptionSpec> alerting_numbers() {
  return kAlertingNumbers;
}

AlertingConfig default_alerting() {
  const Options numbers(kAlertingNumbers);
  AlertingConfig alerting;
  alerting.resend_interval = numbers.duration("resend_interval");
  alerting.queue = static_cast<size_t>(numbers.integer("queue"));
  return alerting;
}

void read_alerting(YamlReader& yaml, const std::string& path, const YAML::Node& node,
                   const SettingsTables& tables, AlertingConfig& alerting) {
  YamlReader::Section section;
  section.emplace("alertmanagers", [&](const std::string& full, const YAML::Node& value) {
    yaml.list(full, kMostAlertmanagers, value, [&](const std::string& key, const YAML::Node& each) {
      read_target(yaml, key, each, alerting.alertmanagers);
    });
  });
  std::string least(kMinSeverity.fallback);
  section.emplace(kMinSeverity.key, [&](const std::string& full, const YAML::Node& value) {
    yaml.text(full, kMinSeverity, value, least);
  });
  section.emplace(kCritical.key, [&](const std::string& full, const YAML::Node& value) {
    read_critical(yaml, full, value, tables, alerting.critical);
  });
  section.emplace(kExternalLabel.key, [&](const std::string& full, const YAML::Node& value) {
    read_labels(yaml, full, value, alerting.external_labels);
  });
  Options numbers(kAlertingNumbers);
  yaml.add_options(kAlertingNumbers, numbers, section);
  yaml.section(path, section, node);
  alerting.min_severity = least == "info"      ? Severity::kInfo
                          : least == "warning" ? Severity::kWarning
                                               : Severity::kCritical;
  alerting.resend_interval = numbers.duration("resend_interval");
  alerting.queue = static_cast<size_t>(numbers.integer("queue"));
}

}  // namespace ectoscope
