#include "outputs/finding_filter.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "outputs/html.h"

namespace ectoscope {
namespace {

using State = FindingFilter::State;

constexpr std::array kStates = {State::kAll, State::kActive, State::kOpen, State::kAcknowledged,
                                State::kResolved};
constexpr std::array kSeverities = {Severity::kInfo, Severity::kWarning, Severity::kCritical};
constexpr size_t kMostLimit = 1000;
constexpr size_t kMostOffset = 100'000'000;
constexpr size_t kMostText = 200;

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

bool contains(std::string_view text, std::string_view wanted) {
  return std::search(text.begin(), text.end(), wanted.begin(), wanted.end(),
                     [](char a, char b) { return lower(a) == lower(b); }) != text.end();
}

bool contains(const Finding& finding, std::string_view wanted) {
  const auto in = [wanted](std::string_view text) { return contains(text, wanted); };
  return in(finding.summary) || in(finding.id) || in(finding.query.text) ||
         std::any_of(finding.tables.begin(), finding.tables.end(), in) ||
         std::any_of(finding.routes.begin(), finding.routes.end(),
                     [&in](const auto& route) { return in(route.first); });
}

std::optional<std::string> read_number(std::string_view text, size_t most, size_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number > most) {
    return "a number from 0 to " + std::to_string(most);
  }
  return std::nullopt;
}

std::optional<std::string> read_state(std::string_view text, State& state) {
  if (text.empty()) return std::nullopt;  // a form's field that was left alone
  for (const State known : kStates) {
    if (text == name_of(known)) {
      state = known;
      return std::nullopt;
    }
  }
  return "one of all, active, open, acknowledged, resolved";
}

std::optional<std::string> read_severity(std::string_view text, std::optional<Severity>& severity) {
  if (text.empty()) {
    severity.reset();
    return std::nullopt;
  }
  for (const Severity known : kSeverities) {
    if (text == name_of(known)) {
      severity = known;
      return std::nullopt;
    }
  }
  return "one of info, warning, critical";
}

std::string* text_field(FindingFilter& filter, std::string_view name) {
  if (name == "kind") return &filter.kind;
  if (name == "server") return &filter.server;
  if (name == "database") return &filter.database;
  if (name == "team") return &filter.team;
  if (name == "table") return &filter.table;
  if (name == "q") return &filter.text;
  return nullptr;
}

/// What would be allowed; nothing when the value is.
std::optional<std::string> read_one(const std::string& name, const std::string& value,
                                    FindingFilter& filter) {
  if (std::string* field = text_field(filter, name)) {
    *field = value;
    if (value.size() <= kMostText) return std::nullopt;
    return "text of at most " + std::to_string(kMostText) + " bytes";
  }
  if (name == "state") return read_state(value, filter.state);
  if (name == "severity") return read_severity(value, filter.severity);
  if (name == "limit") return read_number(value, kMostLimit, filter.limit);
  if (name == "offset") return read_number(value, kMostOffset, filter.offset);
  return "no such parameter; there are state, kind, severity, server, database, team, table, q, "
         "limit and offset";
}

}  // namespace

bool FindingFilter::matches(const TrackedFinding& tracked) const {
  const Finding& finding = tracked.finding;
  const bool acknowledged = tracked.acknowledged_at.has_value();
  if (state != State::kAll && tracked.active == (state == State::kResolved)) return false;
  if (state == State::kOpen && acknowledged) return false;
  if (state == State::kAcknowledged && !acknowledged) return false;
  if (!kind.empty() && finding.kind != kind) return false;
  if (severity && finding.severity != *severity) return false;
  if (!server.empty() && finding.server != server) return false;
  if (!database.empty() && finding.database != database) return false;
  if (!team.empty() && tracked.team != team) return false;
  if (!table.empty() &&
      std::find(finding.tables.begin(), finding.tables.end(), table) == finding.tables.end()) {
    return false;
  }
  return text.empty() || contains(finding, text);
}

std::string_view state_of(const TrackedFinding& tracked) {
  if (!tracked.active) return "resolved";
  return tracked.acknowledged_at ? "acknowledged" : "active";
}

std::string_view name_of(FindingFilter::State state) {
  switch (state) {
    case State::kAll:
      return "all";
    case State::kActive:
      return "active";
    case State::kOpen:
      return "open";
    case State::kAcknowledged:
      return "acknowledged";
    case State::kResolved:
      break;
  }
  return "resolved";
}

Result<FindingFilter> read_filter(const UrlParameters& parameters, FindingFilter filter) {
  for (const auto& [name, value] : parameters) {
    if (const auto allowed = read_one(name, value, filter)) {
      return Error{name.substr(0, kMostText) + ": " + *allowed};
    }
  }
  return filter;
}

std::string url_query(const FindingFilter& filter, const FindingFilter& defaults) {
  std::string query;
  const auto add = [&query](std::string_view name, std::string_view value) {
    query += query.empty() ? '?' : '&';
    query += name;
    query += '=';
    query += url_escaped(value);
  };
  if (filter.state != defaults.state) add("state", name_of(filter.state));
  if (!filter.kind.empty()) add("kind", filter.kind);
  if (filter.severity) add("severity", name_of(*filter.severity));
  if (!filter.server.empty()) add("server", filter.server);
  if (!filter.database.empty()) add("database", filter.database);
  if (!filter.team.empty()) add("team", filter.team);
  if (!filter.table.empty()) add("table", filter.table);
  if (!filter.text.empty()) add("q", filter.text);
  if (filter.limit != defaults.limit) add("limit", std::to_string(filter.limit));
  if (filter.offset != 0) add("offset", std::to_string(filter.offset));
  return query;
}

FindingPage select_findings(const Snapshot& snapshot, const FindingFilter& filter) {
  FindingPage page;
  for (const auto& tracked : snapshot.findings) {
    if (!filter.matches(*tracked)) continue;
    const size_t place = page.total++;
    if (place >= filter.offset && page.findings.size() < filter.limit) {
      page.findings.push_back(tracked);
    }
  }
  return page;
}

std::shared_ptr<const TrackedFinding> find_finding(const Snapshot& snapshot, std::string_view id) {
  const auto found = std::find_if(snapshot.findings.begin(), snapshot.findings.end(),
                                  [id](const auto& tracked) { return tracked->finding.id == id; });
  return found == snapshot.findings.end() ? nullptr : *found;
}

}  // namespace ectoscope
