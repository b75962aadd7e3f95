#include "daemon/debian_clusters.h"

#include <map>
#include <ostream>
#include <string_view>

#include "daemon/read_file.h"
#include "outputs/text_layout.h"

namespace ectoscope {
namespace {

constexpr std::string_view kConfigured = "/etc/postgresql/";

using Settings = std::map<std::string, std::string, std::less<>>;

std::string_view trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

/// `'a value'` or `value` at the front, without its comment.
std::string value_of(std::string_view text) {
  text = trimmed(text);
  if (!text.starts_with('\'')) return std::string(trimmed(text.substr(0, text.find('#'))));
  std::string value;
  for (size_t at = 1; at < text.size(); ++at) {
    if (text[at] == '\'' && !text.substr(at + 1).starts_with('\'')) break;
    if (text[at] == '\'') ++at;
    value += text[at];
  }
  return value;
}

/// `name = value` or `name value`, a line each; the last one counts.
void read_settings(std::string_view text, Settings& settings) {
  while (!text.empty()) {
    const std::string_view line = trimmed(text.substr(0, text.find('\n')));
    text.remove_prefix(std::min(text.size(), std::min(text.find('\n'), text.size()) + 1));
    if (line.empty() || line[0] == '#') continue;
    const size_t name_end = std::min(line.find_first_of(" \t="), line.size());
    std::string_view rest = trimmed(line.substr(name_end));
    if (rest.starts_with('=')) rest.remove_prefix(1);
    settings[std::string(line.substr(0, name_end))] = value_of(rest);
  }
}

void read_settings_file(Files& files, const std::string& path, Settings& settings) {
  constexpr size_t kMost = size_t{1} << 20U;
  const auto text = read_whole_file(files, path, kMost);
  if (text.ok()) read_settings(text.value(), settings);
}

std::string setting(const Settings& settings, std::string_view name, std::string_view otherwise) {
  const auto found = settings.find(name);
  return found == settings.end() ? std::string(otherwise) : found->second;
}

bool is_on(const std::string& value) {
  return value == "on" || value == "true" || value == "yes" || value == "1";
}

/// postgresql-%Y-%m-%d.log as a pattern: postgresql-*-*-*.log.
std::string as_pattern(std::string_view name) {
  std::string pattern;
  for (size_t at = 0; at < name.size(); ++at) {
    if (name[at] == '%') {
      ++at;
      if (!pattern.ends_with('*')) pattern += '*';
    } else {
      pattern += name[at];
    }
  }
  return pattern;
}

void place_log(const Settings& settings, DebianCluster& cluster) {
  const std::string id = cluster.version + "-" + cluster.name;
  cluster.format = "stderr";
  cluster.log = "/var/log/postgresql/postgresql-" + id + ".log";
  if (!is_on(setting(settings, "logging_collector", "off"))) return;
  const std::string destination = setting(settings, "log_destination", "stderr");
  if (destination.find("csvlog") != std::string::npos) cluster.format = "csvlog";
  if (destination.find("jsonlog") != std::string::npos) cluster.format = "jsonlog";
  std::string folder = setting(settings, "log_directory", "log");
  if (!folder.starts_with('/')) {
    const std::string data = "/var/lib/postgresql/" + cluster.version + "/" + cluster.name;
    folder = setting(settings, "data_directory", data) + "/" + folder;
  }
  std::string name =
      as_pattern(setting(settings, "log_filename", "postgresql-%Y-%m-%d_%H%M%S.log"));
  if (cluster.format != "stderr") {
    if (name.ends_with(".log")) name.resize(name.size() - 4);
    name += cluster.format == "csvlog" ? ".csv" : ".json";
  }
  cluster.log = folder + "/" + name;
}

std::string problem_with_log(Files& files, LogFiles& log_files, const std::string& pattern) {
  const auto found = log_files.list(pattern);
  if (!found.ok()) return found.error().message;
  if (found.value().empty()) return "there is no such file yet";
  const auto opened = files.open(found.value().back());
  return opened.ok() ? "" : opened.error().message;
}

}  // namespace

std::vector<DebianCluster> find_debian_clusters(Files& files, LogFiles& log_files,
                                                const std::string& root) {
  std::vector<DebianCluster> clusters;
  const std::string configured = root + std::string(kConfigured);
  const auto found = log_files.list(configured + "*/*/postgresql.conf");
  if (!found.ok()) return clusters;
  for (const std::string& path : found.value()) {
    const std::string folder = path.substr(0, path.rfind('/'));
    DebianCluster cluster;
    cluster.name = folder.substr(folder.rfind('/') + 1);
    const size_t version = configured.size();
    cluster.version = folder.substr(version, folder.find('/', version) - version);
    Settings settings;
    read_settings_file(files, path, settings);
    const auto more = log_files.list(folder + "/conf.d/*.conf");
    for (const std::string& included : more.ok() ? more.value() : std::vector<std::string>())
      read_settings_file(files, included, settings);
    cluster.port = setting(settings, "port", "5432");
    place_log(settings, cluster);
    cluster.problem = problem_with_log(files, log_files, root + cluster.log);
    const std::string pid_file =
        root + "/run/postgresql/" + cluster.version + "-" + cluster.name + ".pid";
    cluster.running = log_files.facts(pid_file).ok();
    clusters.push_back(std::move(cluster));
  }
  return clusters;
}

void write_clusters(const std::vector<DebianCluster>& clusters, std::ostream& out) {
  for (const DebianCluster& cluster : clusters) {
    const std::string log = harmless(cluster.log);
    out << harmless(cluster.version) << " " << harmless(cluster.name) << ": "
        << (cluster.running ? "running" : "not running") << ", port " << harmless(cluster.port)
        << "\n  log      " << log << " (" << cluster.format << ")\n";
    if (!cluster.problem.empty()) out << "           " << harmless(cluster.problem) << "\n";
    out << "  to ask   ectoscope doctor --dsn='host=/run/postgresql port=" << harmless(cluster.port)
        << " dbname=DATABASE user=ROLE'\n  to serve "
        << "- {name: " << harmless(cluster.name) << ", logs: [\"" << log
        << (cluster.format == "stderr" ? "*" : "") << "\"]}\n";
  }
}

}  // namespace ectoscope
